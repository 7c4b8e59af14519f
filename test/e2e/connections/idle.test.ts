import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { balanced, call, connected } from '../../support/calls/call.js';
import { answer, message, RawPeer } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

/** The shortest that grpc-js takes. */
const IDLE_MS = 1000;
const channelOptions = { 'grpc.client_idle_timeout_ms': IDLE_MS };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('a client goes idle after its last call, not during one, and comes back with the next', async () => {
  const peer = await new RawPeer(() => {}).start();
  const { client, channel } = balanced(peer.target, { channelOptions });
  await connected(client);
  const running = call(client, 'unary');
  await peer.arrived(1);
  vi.advanceTimersByTime(10 * IDLE_MS);
  expect(channel.snapshot().state).toBe('ready');
  answer(peer.calls[0]!, { messages: [message('hello')] });
  await running;
  vi.advanceTimersByTime(2 * IDLE_MS);
  expect(channel.snapshot()).toMatchObject({ state: 'idle', endpoints: [] });

  const next = call(client, 'unary');
  await peer.arrived(2);
  answer(peer.calls[1]!, { messages: [message('hello again')] });
  expect(await next).toMatchObject({ messages: ['hello again'] });
});

test('a call that an interceptor answers itself does not keep the client from going idle', async () => {
  const peer = await new RawPeer(() => {}).start();
  const { client, channel } = balanced(peer.target, { channelOptions });
  await connected(client);
  const cache: grpc.Interceptor = (options, nextCall) =>
    new grpc.InterceptingCall(nextCall(options), {
      start: (_metadata, listener) =>
        setImmediate(() => {
          listener.onReceiveMessage(Buffer.from('cached'));
          listener.onReceiveStatus({ code: grpc.status.OK, details: '', metadata: new grpc.Metadata() });
        }),
      sendMessage: () => {},
      halfClose: () => {},
    });
  expect(await call(client, 'unary', { interceptors: [cache] })).toMatchObject({ messages: ['cached'] });
  vi.advanceTimersByTime(2 * IDLE_MS);
  expect(channel.snapshot().state).toBe('idle');
  expect(peer.calls).toEqual([]);
});
