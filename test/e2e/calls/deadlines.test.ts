import { constants as http2 } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { balanced, call, connected, KINDS, slowInterceptor, stock } from '../../support/calls/call.js';
import { ManualDiscovery, SilentDiscovery } from '../../support/echo/balanced-client.js';
import { answer, answerAll, message, RawPeer } from '../../support/peers/raw-peer.js';
import { SilentServer } from '../../support/peers/silent-server.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { FakeClock } from '../../support/time/fake-clock.js';

expectNoLeaks();

const silentPeer = (): Promise<RawPeer> => new RawPeer(() => {}).start();

async function timeoutsOf(deadlines: readonly (grpc.Deadline | undefined)[]): Promise<(string | undefined)[]> {
  const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
  const { client } = balanced(peer.target);
  for (const deadline of deadlines) await call(client, 'unary', deadline === undefined ? {} : { deadline });
  return peer.calls.map(({ headers }) => headers['grpc-timeout'] as string | undefined);
}

const YEAR = 365 * 24 * 3_600_000;

test('the server gets the time that is left, in a unit that needs at most eight digits', async () => {
  const now = Date.now();
  const found = await timeoutsOf([now + 90_000, new Date(now + 90_000), undefined, Infinity, now + YEAR]);
  expect(found.slice(2, 4)).toEqual([undefined, undefined]);
  for (const header of found.slice(0, 2)) {
    expect(header).toMatch(/^\d+m$/);
    expect(Number.parseInt(header!, 10)).toBeLessThanOrEqual(90_000);
  }
  // Rounded up to seconds.
  expect(found[4]).toMatch(/^315[34]\d{4}S$/);
});

test('a deadline too far for the header is shortened to what the header can say, where grpc-js would fail the call', async () => {
  expect(await timeoutsOf([8.64e15])).toEqual(['99999999H']);
});

describe.each(KINDS)('%s', (kind) => {
  test('a deadline in the past, or one that is no time, ends the call before it is sent', async () => {
    const peer = await silentPeer();
    const { client, channel } = balanced(peer.target);
    for (const deadline of [
      Date.now() - 1000,
      0,
      -Infinity,
      new Date(Date.now() - 1000),
      Number.NaN,
      new Date(Number.NaN),
    ]) {
      const found = await call(client, kind, { deadline });
      expect(found).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED, messages: [], headers: undefined });
      expect(found.details).toMatch(/^Deadline exceeded after \d\.\d{3}s/);
    }
    expect(peer.calls).toEqual([]);
    expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
  });

  test.each([
    ['without interceptors', []],
    ['with interceptors', [slowInterceptor]],
  ])('says where the time went as grpc-js does, and resets the stream: %s', async (_, interceptors) => {
    const peer = await silentPeer();
    const { client, channel } = balanced(peer.target);
    await connected(client);
    const found = await call(client, kind, { interceptors, deadline: Date.now() + 300 });
    expect(found.code).toBe(grpc.status.DEADLINE_EXCEEDED);
    expect(found.details).toMatch(
      new RegExp(
        `^Deadline exceeded after \\d\\.\\d{3}s(,name resolution: \\d\\.\\d{3}s)?(,LB pick: \\d\\.\\d{3}s)?,remote_addr=${peer.address}$`,
      ),
    );
    await expect.poll(() => peer.count('RST_STREAM')).toBe(1);
    expect(channel.snapshot().inFlight).toBe(0);
    const oracle = stock(peer.address);
    await connected(oracle);
    const expected = await call(oracle, kind, { interceptors, deadline: Date.now() + 300 });
    // How long each part took differs, and we have no metadata filters.
    expect(expected.details).toContain(`remote_addr=${peer.address}`);
  });
});

test('the text names what the call waited for: discovery, a connection, wait_for_ready', async () => {
  const silent = await new SilentServer().start();
  closeWithTest(() => silent.stop());
  const waitForReady = new grpc.Metadata({ waitForReady: true });
  const detailsOf = async (target: string, metadata = new grpc.Metadata()): Promise<string> => {
    const { client, channel } = balanced(target);
    const { code, details } = await call(client, 'unary', { metadata, deadline: Date.now() + 60 });
    expect(code).toBe(grpc.status.DEADLINE_EXCEEDED);
    expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
    channel.close();
    return details;
  };
  expect(await detailsOf(new SilentDiscovery().target)).toMatch(
    /^Deadline exceeded after \d\.\d{3}s,waiting for name resolution$/,
  );
  const connecting = `static:///127.0.0.1:${silent.port}`;
  expect(await detailsOf(connecting)).toMatch(
    /^Deadline exceeded after \d\.\d{3}s(,name resolution: \d\.\d{3}s)?,Waiting for LB pick$/,
  );
  expect(await detailsOf(connecting, waitForReady)).toMatch(/,wait_for_ready,Waiting for LB pick$/);
});

test('each attempt gets the time that is left then, and the text counts the attempts', async () => {
  const peer = await new RawPeer((arrived) => {
    if (peer.calls.length < 3) answer(arrived, { trailers: { 'grpc-status': 14, 'grpc-message': 'not yet' } });
  }).start();
  const { client } = balanced(peer.target, {
    methods: [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }],
    loadBalancing: { retry: { maxAttempts: 3, initialBackoff: 40, maxBackoff: 40 } },
  });
  await connected(client);
  const { code, details } = await call(client, 'unary', { deadline: Date.now() + 2000 });
  expect(code).toBe(grpc.status.DEADLINE_EXCEEDED);
  expect(details).toMatch(
    /,previous attempts: 2,time to current attempt start: \d\.\d{3}s(,LB pick: \d\.\d{3}s)?,remote_addr=127\.0\.0\.1:\d+$/,
  );
  const left = peer.calls.map(({ headers }) => Number.parseInt(headers['grpc-timeout'] as string, 10));
  expect(left).toHaveLength(3);
  // A backoff of 40 ms has a jitter of 20 %.
  expect(left[1]).toBeLessThanOrEqual(left[0]! - 32);
  expect(left[2]).toBeLessThanOrEqual(left[1]! - 32);
  expect(peer.calls.map(({ headers }) => headers['grpc-previous-rpc-attempts'])).toEqual([undefined, '1', '2']);
});

test('a server that cancels because the deadline has passed does not hide that it has', async () => {
  let deadline = 0;
  const peer = await new RawPeer(async ({ stream }) => {
    while (Date.now() <= deadline) await new Promise(setImmediate);
    stream.close(http2.NGHTTP2_CANCEL);
  }).start();
  // Its timers never run, as if the event loop came to the answer first.
  const { client, channel } = balanced(peer.target, { clock: new FakeClock() });
  await connected(client);
  // It is sent in this turn, however busy the machine is.
  deadline = Date.now() + 50;
  expect(await call(client, 'unary', { deadline })).toMatchObject({
    code: grpc.status.DEADLINE_EXCEEDED,
    details: expect.stringMatching(/^Deadline exceeded after .*remote_addr=/),
  });
  expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
  const cancelling = await new RawPeer(({ stream }) => stream.close(http2.NGHTTP2_CANCEL)).start();
  const other = balanced(cancelling.target);
  expect(await call(other.client, 'unary', { deadline: Date.now() + 60_000 })).toMatchObject({
    code: grpc.status.CANCELLED,
  });
});

describe('a call that waits for ready', () => {
  const metadata = new grpc.Metadata({ waitForReady: true });

  test.each(KINDS)('outlasts failing connections, while others fail at once: %s', async (kind) => {
    const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
    const discovery = new ManualDiscovery();
    discovery.setEndpoints([{ address: { host: '127.0.0.1', port: 1 } }]);
    const { client, channel } = balanced(discovery.target);
    expect(await call(client, kind)).toMatchObject({
      code: grpc.status.UNAVAILABLE,
      details: expect.stringMatching(/^client ECHO: /),
    });
    const patient = call(client, kind, { metadata });
    // It is still waiting after another failure.
    expect(await call(client, kind)).toMatchObject({ code: grpc.status.UNAVAILABLE });
    expect(channel.snapshot().pending).toBe(1);
    discovery.setEndpoints([{ address: { host: '127.0.0.1', port: peer.port } }]);
    expect(await patient).toMatchObject({ code: grpc.status.OK, messages: ['hello'] });
    expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
  });

  test('outlasts failing discovery', async () => {
    const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
    const discovery = new SilentDiscovery();
    const { client, channel } = balanced(discovery.target);
    const patient = call(client, 'unary', { metadata });
    discovery.fail('the registry is down');
    expect(await call(client, 'unary')).toMatchObject({
      code: grpc.status.UNAVAILABLE,
      details: expect.stringContaining('the registry is down'),
    });
    expect(channel.snapshot().pending).toBe(1);
    discovery.setEndpoints([{ address: { host: '127.0.0.1', port: peer.port } }]);
    expect(await patient).toMatchObject({ code: grpc.status.OK, messages: ['hello'] });
  });
});
