import * as grpc from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { balanced, type Balanced, call, type Kind } from '../../support/calls/call.js';
import { SilentDiscovery } from '../../support/echo/balanced-client.js';
import { answer, message, type RawCall, RawPeer, requestsOf } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const FAILURE = { trailers: { 'grpc-status': 14, 'grpc-message': 'not yet' } };
const methods = [
  { service: 'echo.v1.Echo', method: 'Say', responseStream: false },
  { service: 'echo.v1.Echo', method: 'Join', responseStream: false, requestStream: true },
  { service: 'echo.v1.Echo', method: 'Repeat', responseStream: true },
  { service: 'echo.v1.Echo', method: 'Talk', responseStream: true, requestStream: true },
];
const loadBalancing = { retry: { maxAttempts: 3, initialBackoff: 1, maxBackoff: 1 } };

/** A peer that reads all requests, and fails the first calls. */
async function failing(times: number): Promise<{ peer: RawPeer; bodies: number[] }> {
  const bodies: number[] = [];
  const peer = await new RawPeer(async (arrived: RawCall) => {
    bodies.push((await requestsOf(arrived)).length);
    answer(arrived, bodies.length <= times ? FAILURE : { messages: [message('hello')] });
  }).start();
  return { peer, bodies };
}

const connect = (target: string, channelOptions: grpc.ChannelOptions): Balanced =>
  balanced(target, { methods, loadBalancing, channelOptions });

describe.each(['unary', 'server streaming', 'client streaming', 'bidi'] as Kind[])('%s', (kind) => {
  const many = kind === 'client streaming' || kind === 'bidi';
  const requests = many ? ['one', 'two', '', 'four'] : ['one'];
  const bytes = requests.reduce((sum, each) => sum + 5 + each.length, 0);

  test('requests that fit are sent again with each attempt', async () => {
    const { peer, bodies } = await failing(2);
    const { client } = connect(peer.target, { 'grpc.per_rpc_retry_buffer_size': bytes });
    expect(await call(client, kind, { requests })).toMatchObject({ code: grpc.status.OK, messages: ['hello'] });
    expect(bodies).toEqual([bytes, bytes, bytes]);
  });

  test('requests that do not fit bind the call to its attempt', async () => {
    const { peer, bodies } = await failing(1);
    for (const option of ['grpc.per_rpc_retry_buffer_size', 'grpc.retry_buffer_size']) {
      const { client, channel } = connect(peer.target, { [option]: bytes - 1 });
      bodies.length = 0;
      expect(await call(client, kind, { requests })).toMatchObject({ code: grpc.status.UNAVAILABLE });
      expect(bodies).toEqual([bytes]);
      expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
    }
  });

  test('the memory of all calls is free again when they have ended', async () => {
    const { peer, bodies } = await failing(0);
    const { client } = connect(peer.target, { 'grpc.retry_buffer_size': bytes });
    for (let i = 0; i < 5; i++) await call(client, kind, { requests });
    await call(client, kind, { requests, onCall: (started) => started.cancel() });
    // The next one fits, so that it can be repeated.
    bodies.length = 0;
    const failingAgain = await failing(1);
    const discovery = new SilentDiscovery();
    const again = connect(discovery.target, { 'grpc.retry_buffer_size': bytes });
    // One that waits and is cancelled gives back what it took.
    const waiting = call(again.client, kind, { requests, onCall: (started) => setImmediate(() => started.cancel()) });
    expect((await waiting).code).toBe(grpc.status.CANCELLED);
    const repeated = call(again.client, kind, { requests });
    discovery.setEndpoints([{ address: { host: '127.0.0.1', port: failingAgain.peer.port } }]);
    expect(await repeated).toMatchObject({ code: grpc.status.OK });
    expect(failingAgain.bodies).toEqual([bytes, bytes]);
  });
});

test('calls share the total: of two that wait only one can be repeated', async () => {
  const { peer, bodies } = await failing(2);
  const discovery = new SilentDiscovery();
  const { client } = connect(discovery.target, { 'grpc.retry_buffer_size': 8 });
  const results = [call(client, 'unary', { requests: ['one'] }), call(client, 'unary', { requests: ['two'] })];
  discovery.setEndpoints([{ address: { host: '127.0.0.1', port: peer.port } }]);
  expect((await Promise.all(results)).map(({ code }) => grpc.status[code])).toEqual(['OK', 'UNAVAILABLE']);
  expect(bodies).toHaveLength(3);
});

test('a call that outgrew its memory before it was sent is sent once, whole', async () => {
  const { peer, bodies } = await failing(1);
  const discovery = new SilentDiscovery();
  const { client } = connect(discovery.target, { 'grpc.per_rpc_retry_buffer_size': 4 });
  const running = call(client, 'client streaming', { requests: ['one', 'two'] });
  await new Promise(setImmediate);
  discovery.setEndpoints([{ address: { host: '127.0.0.1', port: peer.port } }]);
  expect(await running).toMatchObject({ code: grpc.status.UNAVAILABLE });
  expect(bodies).toEqual([16]);
});

test('after the response headers nothing is repeated, as gRFC A6 says', async () => {
  const peer = await new RawPeer((arrived) =>
    answer(arrived, { headers: { 'x-head': 'one' }, trailers: FAILURE.trailers }),
  ).start();
  const { client } = connect(peer.target, {});
  expect(await call(client, 'unary')).toMatchObject({ code: grpc.status.UNAVAILABLE, headers: { 'x-head': ['one'] } });
  expect(peer.calls).toHaveLength(1);
});

test.each(['client streaming', 'bidi'] as Kind[])(
  'whoever writes a request that does not fit goes on if the call ends before it was sent: %s',
  async (kind) => {
    const { client } = connect(new SilentDiscovery().target, { 'grpc.per_rpc_retry_buffer_size': 10 });
    let written: Promise<void> | undefined;
    const ended = call(client, kind, {
      requests: ['x'.repeat(100)],
      onCall: (made) => {
        const stream = made as grpc.ClientWritableStream<Buffer>;
        written = new Promise((resolve) => stream.write(Buffer.from('y'.repeat(100)), () => resolve()));
        setTimeout(() => stream.cancel(), 5);
      },
    });
    expect((await ended).code).toBe(grpc.status.CANCELLED);
    await written;
  },
);
