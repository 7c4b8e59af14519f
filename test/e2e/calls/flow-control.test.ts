import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as grpc from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { balanced, type Balanced } from '../../support/calls/call.js';
import { message, RawPeer, requestsOf } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const KIB = 1024;
const MIB = KIB * KIB;
const CHUNK = Buffer.alloc(64 * KIB, 1);
const TOTAL = 64 * MIB;
const CHUNKS = TOTAL / CHUNK.length;
const LOOK_EVERY = CHUNKS / 8;
/** How much is on its way, or runs ahead of a reader that has stopped: windows, sockets and stream buffers. */
const AHEAD = 8 * MIB;

const raw = (bytes: Buffer): Buffer => bytes;

/** Node offers it only if asked to. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** What the buffers take that are still used, beyond those at the beginning. */
class LiveBuffers {
  most = 0;
  readonly #before: number;

  constructor() {
    collectGarbage();
    this.#before = process.memoryUsage().arrayBuffers;
  }

  async look(): Promise<void> {
    collectGarbage();
    // Buffers are freed a little later.
    await delay(20);
    collectGarbage();
    this.most = Math.max(this.most, process.memoryUsage().arrayBuffers - this.#before);
  }
}

/** Writes as fast as the call takes it. */
async function write(call: grpc.ClientWritableStream<Buffer>, buffers: LiveBuffers): Promise<void> {
  for (let i = 1; i <= CHUNKS; i++) {
    if (!call.write(CHUNK)) await new Promise((resolve) => call.once('drain', resolve));
    if (i % LOOK_EVERY === 0) await buffers.look();
  }
  call.end();
}

const interceptors: [string, grpc.Interceptor[]][] = [
  ['without interceptors', []],
  ['with an interceptor', [(options, next) => new grpc.InterceptingCall(next(options))]],
];

describe.each(interceptors)('a stream of 64 MB does not stay in memory, %s', (_, given) => {
  const ends = (call: { on(event: 'status', listener: (status: grpc.StatusObject) => void): unknown }) =>
    new Promise<grpc.StatusObject>((resolve) => call.on('status', resolve));

  /** A peer that throws its requests away, and sends as many chunks as it is asked for. */
  async function start(): Promise<Balanced & { received: () => number }> {
    let received = 0;
    const peer = await new RawPeer(async ({ stream, headers }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0 }));
      stream.on('data', (part: Buffer) => (received += part.length));
      const frame = message(CHUNK);
      for (let i = 0; i < Number(headers['x-chunks'] ?? 0); i++)
        if (!stream.write(frame)) await new Promise((resolve) => stream.once('drain', resolve));
      if (headers['x-chunks'] !== undefined) stream.end();
      else stream.once('end', () => stream.end(message('done')));
    }).start();
    return { ...balanced(peer.target, {}, { interceptors: given }), received: () => received };
  }

  test('from the client', async () => {
    const { client, received } = await start();
    const buffers = new LiveBuffers();
    const call = client.makeClientStreamRequest('/echo.v1.Echo/Join', raw, raw, () => {});
    const end = ends(call);
    await write(call, buffers);
    expect((await end).code).toBe(grpc.status.OK);
    expect(received()).toBe(TOTAL + 5 * CHUNKS);
    expect(buffers.most).toBeLessThan(AHEAD);
  });

  test('from the server', async () => {
    const { client } = await start();
    const metadata = new grpc.Metadata();
    metadata.set('x-chunks', String(CHUNKS));
    const buffers = new LiveBuffers();
    const call = client.makeServerStreamRequest('/echo.v1.Echo/Repeat', raw, raw, Buffer.from('x'), metadata);
    const end = ends(call);
    let bytes = 0;
    for await (const part of call) {
      bytes += (part as Buffer).length;
      if ((bytes / CHUNK.length) % LOOK_EVERY === 0) await buffers.look();
    }
    expect((await end).code).toBe(grpc.status.OK);
    expect(bytes).toBe(TOTAL);
    expect(buffers.most).toBeLessThan(AHEAD);
  });
});

test('a server that does not read holds the writer back, whatever the call may keep for a retry', async () => {
  const peer = await new RawPeer(() => {}).start();
  for (const size of [undefined, 0, 4 * MIB]) {
    const channelOptions = size === undefined ? {} : { 'grpc.per_rpc_retry_buffer_size': size };
    const { client } = balanced(peer.target, { channelOptions });
    const call = client.makeClientStreamRequest('/echo.v1.Echo/Join', raw, raw, () => {});
    call.on('error', () => {});
    let written = 0;
    for (let taken = true; taken && written < TOTAL;) {
      taken = call.write(CHUNK);
      written += CHUNK.length;
      if (taken) continue;
      // A reader that has stopped lets no more through, however long one waits.
      const drained = new Promise((resolve) => call.once('drain', () => resolve(true)));
      taken = (await Promise.race([drained, delay(300)])) === true;
    }
    expect(written).toBeLessThan(AHEAD);
    call.cancel();
    await new Promise((resolve) => call.once('status', resolve));
  }
});

test('a caller that stops reading holds the server back; before its first read grpc-js buffers, in both', async () => {
  let written = 0;
  const peer = await new RawPeer(async (arrived) => {
    await requestsOf(arrived);
    const { stream } = arrived;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0 }));
    const frame = message(CHUNK);
    for (let i = 0; i < CHUNKS && !stream.closed; i++) {
      const drained = stream.write(frame);
      written += CHUNK.length;
      if (!drained) await new Promise((resolve) => stream.once('drain', resolve));
    }
    stream.end();
  }).start();
  const { client } = balanced(peer.target);
  const call = client.makeServerStreamRequest('/echo.v1.Echo/Repeat', raw, raw, Buffer.from('x'));
  const reader = call[Symbol.asyncIterator]();
  let bytes = ((await reader.next()).value as Buffer).length;
  for (let before = -1; before !== written;) {
    before = written;
    await delay(100);
  }
  expect(written).toBeLessThan(AHEAD);
  for (let next = await reader.next(); !next.done; next = await reader.next()) bytes += (next.value as Buffer).length;
  expect(bytes).toBe(TOTAL);
});
