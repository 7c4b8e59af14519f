import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { expectNoLeaks } from '../../../../../test/support/run/leaks.js';
import { EventStream } from './event-stream.js';

expectNoLeaks();

/** Both ends of a response: the client reads nothing until it is told to. */
interface Ends {
  readonly response: ServerResponse;
  /** Resolves when the headers have come. */
  readonly incoming: () => Promise<Readable>;
}

async function connected(): Promise<Ends> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const request = get({ host: '127.0.0.1', port, agent: false });
  const arrived = once(request, 'response') as Promise<[IncomingMessage]>;
  request.on('error', () => {});
  onTestFinished(async () => {
    request.destroy();
    server.closeAllConnections();
    await once(server.close(), 'close');
  });
  const [, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  return { response, incoming: async () => (await arrived)[0] };
}

/** As with Fastify's option `http2`. */
async function connectedByHttp2(): Promise<Ends> {
  const server = http2.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const request = session.request({ ':path': '/' });
  const arrived = once(request, 'response');
  request.on('error', () => {});
  onTestFinished(async () => {
    session.destroy();
    // `close()` of such a server returns nothing from Node 24 on.
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  return { response, incoming: () => arrived.then(() => request) };
}

const BIG = { text: 'x'.repeat(100_000) };

/** Sends until the reader holds back what follows. */
function fill(stream: EventStream): number {
  let sent = 0;
  while (stream.ready(0)) {
    stream.send('frame', BIG);
    sent++;
    if (sent > 10_000) throw new Error('the stream never holds back');
  }
  return sent;
}

describe.each([
  ['HTTP/1.1', connected],
  ['HTTP/2', connectedByHttp2],
])('over %s', (_, connect) => {
  test('what a slow page does not read holds back what follows, and does not pile up', async () => {
    const { response, incoming } = await connect();
    const stream = new EventStream(response, {}, () => {});
    await incoming();
    let sent = 0;
    // The buffers of the sockets take some of it.
    for (let turn = 0; turn < 200; turn++) {
      if (stream.ready(0)) sent += fill(stream);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(stream.ready(0)).toBe(false);
    const { buffered } = stream;
    for (let i = 0; i < 1000; i++) if (stream.ready(0)) stream.send('frame', BIG);
    expect(stream.buffered).toBe(buffered);
    expect(buffered).toBeLessThan(300_000);
    expect(sent).toBeGreaterThan(0);
  });

  test('a text cannot break out of its event', async () => {
    const { response, incoming } = await connect();
    const stream = new EventStream(response, {}, () => {});
    const page = await incoming();
    stream.send('frame', { text: 'x\n\nevent: bye\ndata: {}\r\n\u2028' });
    const [chunk] = (await once(page, 'data')) as [Buffer];
    expect(chunk.toString().split(/\r\n|\n|\r/)).toEqual([
      'event: frame',
      expect.stringMatching(/^data: \{[^]*\}$/),
      '',
      '',
    ]);
  });

  test('a page that reads again gets what follows', async () => {
    const { response, incoming } = await connect();
    const stream = new EventStream(response, {}, () => {});
    const page = await incoming();
    for (let turn = 0; turn < 50; turn++) {
      if (stream.ready(0)) fill(stream);
      await new Promise((resolve) => setImmediate(resolve));
    }
    page.resume();
    await expect.poll(() => stream.ready(20_000)).toBe(true);
  });

  test('a page that reads nothing for half a minute is cut off', async () => {
    const { response, incoming } = await connect();
    let closed = 0;
    const stream = new EventStream(response, {}, () => closed++);
    await incoming();
    for (let turn = 0; turn < 50; turn++) {
      if (stream.ready(0)) fill(stream);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(stream.ready(1000)).toBe(false);
    expect(stream.ready(29_000)).toBe(false);
    expect(closed).toBe(0);
    stream.ready(32_000);
    await expect.poll(() => closed).toBe(1);
    stream.send('frame', {});
    stream.close();
    expect(closed).toBe(1);
  });
});
