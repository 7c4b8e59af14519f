import * as grpc from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import {
  type AnyCall,
  balanced,
  call,
  type CallSpec,
  connected,
  KINDS,
  type Result,
} from '../../support/calls/call.js';
import { SilentDiscovery } from '../../support/echo/balanced-client.js';
import { answer, message, RawPeer } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const OPEN = { ':status': 200, 'content-type': 'application/grpc' };
const CANCELLED = { code: grpc.status.CANCELLED, details: 'Cancelled on client' };

describe.each(KINDS)('cancelling resets exactly one stream: %s', (kind) => {
  /** A call that a test cancels; then the peer has seen all that the client has sent. */
  async function play(
    handle: ConstructorParameters<typeof RawPeer>[0],
    spec: (cancel: () => void, peer: RawPeer) => CallSpec | Promise<CallSpec>,
  ): Promise<{ result: Result; peer: RawPeer; channel: ReturnType<typeof balanced>['channel'] }> {
    const peer = await new RawPeer((arrived) =>
      arrived.headers['x-last'] ? answer(arrived, { messages: [message('bye')] }) : handle(arrived),
    ).start();
    const { client, channel } = balanced(peer.target);
    await connected(client);
    let running!: AnyCall;
    const { onCall, ...rest } = await spec(() => running.cancel(), peer);
    const result = await call(client, kind, {
      ...rest,
      onCall: (started) => {
        running = started;
        onCall?.(started);
      },
    });
    const metadata = new grpc.Metadata();
    metadata.set('x-last', '1');
    expect(await call(client, 'unary', { metadata })).toMatchObject({ messages: ['bye'] });
    expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
    return { result, peer, channel };
  }

  const resets = (peer: RawPeer): number => peer.count('RST_STREAM');

  test('in the turn of its start', async () => {
    const { result, peer } = await play(
      () => {},
      () => ({ onCall: (started) => started.cancel() }),
    );
    expect(result).toMatchObject({ ...CANCELLED, messages: [] });
    // Its stream may have been closed before it was sent.
    expect(resets(peer)).toBe(peer.count('HEADERS') - 1);
  });

  test('twice', async () => {
    const { result, peer } = await play(
      () => {},
      async (cancel) => ({
        onCall: () =>
          setImmediate(() => {
            cancel();
            cancel();
            setImmediate(cancel);
          }),
      }),
    );
    expect(result).toMatchObject(CANCELLED);
    expect(resets(peer)).toBe(1);
  });

  test('while it is not answered', async () => {
    let cancel!: () => void;
    const { result, peer } = await play(
      () => cancel(),
      (given) => {
        cancel = given;
        return {};
      },
    );
    expect(result).toMatchObject({ ...CANCELLED, headers: undefined });
    expect(resets(peer)).toBe(1);
  });

  test('after the headers', async () => {
    const { result, peer } = await play(
      ({ stream }) => stream.respond({ ...OPEN, 'x-head': 'one' }),
      (cancel) => ({ onCall: (started) => void started.once('metadata', cancel) }),
    );
    expect(result).toMatchObject({ ...CANCELLED, headers: { 'x-head': ['one'] }, messages: [] });
    expect(resets(peer)).toBe(1);
  });

  test('after the last message, before the status', async () => {
    let cancel!: () => void;
    const { result, peer } = await play(
      ({ stream }) => {
        stream.respond(OPEN, { waitForTrailers: true });
        stream.write(message('hello'), () => setTimeout(cancel, 20));
      },
      (given) => {
        cancel = given;
        return {};
      },
    );
    expect(result).toMatchObject(CANCELLED);
    expect(resets(peer)).toBe(1);
  });

  test('after its end does nothing', async () => {
    const { result, peer } = await play(
      (arrived) => answer(arrived, { messages: [message('hello')] }),
      (cancel) => ({ onCall: (started) => void started.once('status', cancel) }),
    );
    expect(result).toMatchObject({ code: grpc.status.OK, messages: ['hello'] });
    expect(peer.frames.filter(({ kind: frame, code }) => frame === 'RST_STREAM' && code !== 0)).toEqual([]);
  });

  test('while it is pending: no stream at all, and it leaves the queue at once', async () => {
    const discovery = new SilentDiscovery();
    const { client, channel } = balanced(discovery.target);
    let running!: AnyCall;
    const result = call(client, kind, { onCall: (started) => (running = started) });
    await new Promise(setImmediate);
    expect(channel.snapshot().pending).toBe(1);
    running.cancel();
    expect(channel.snapshot().pending).toBe(0);
    expect(await result).toMatchObject(CANCELLED);
  });
});

test('a call that is cancelled before it starts ends with its status, and sends nothing', async () => {
  const peer = await new RawPeer(() => {}).start();
  const { client, channel } = balanced(peer.target);
  await connected(client);
  const running = channel.createCall('/echo.v1.Echo/Say', Infinity);
  running.cancelWithStatus(grpc.status.ABORTED, 'changed my mind');
  const status = await new Promise<grpc.StatusObject>((resolve) => {
    running.start(new grpc.Metadata(), { onReceiveMetadata() {}, onReceiveMessage() {}, onReceiveStatus: resolve });
    running.sendMessageWithContext({}, Buffer.from('x'));
    running.halfClose();
    running.startRead();
  });
  expect(status).toMatchObject({ code: grpc.status.ABORTED, details: 'changed my mind' });
  expect(peer.frames).toEqual([]);
});

test('a writer whose call has ended is called back, so that it does not wait for ever', async () => {
  const peer = await new RawPeer((arrived) => answer(arrived, { trailers: { 'grpc-status': 9 } })).start();
  const { channel } = balanced(peer.target);
  const running = channel.createCall('/echo.v1.Echo/Join', Infinity);
  await new Promise((resolve) =>
    running.start(new grpc.Metadata(), { onReceiveMetadata() {}, onReceiveMessage() {}, onReceiveStatus: resolve }),
  );
  await new Promise<void>((resolve) => running.sendMessageWithContext({ callback: () => resolve() }, Buffer.from('x')));
});

test('of many calls that are cancelled at random moments nothing is left', async () => {
  const peer = await new RawPeer((arrived) => {
    const { stream } = arrived;
    if (peer.calls.length % 3 === 0) return;
    if (peer.calls.length % 3 === 1) return answer(arrived, { messages: [message('hello')] });
    stream.respond(OPEN, { waitForTrailers: true });
    stream.write(message('hello'));
  }).start();
  const { client, channel } = balanced(peer.target);
  await connected(client);
  const results = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      call(client, KINDS[i % 4]!, {
        onCall: (started) => {
          const cancel = (): void => started.cancel();
          if (i % 5 === 0) cancel();
          else if (i % 5 === 1) process.nextTick(cancel);
          else if (i % 5 === 2) setImmediate(cancel);
          else setTimeout(cancel, i % 7);
        },
      }),
    ),
  );
  expect(results).toHaveLength(200);
  expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
  await expect.poll(() => peer.calls.filter(({ stream }) => !stream.closed)).toEqual([]);
  const perStream = new Map<number, number>();
  for (const { kind, stream } of peer.frames)
    if (kind === 'RST_STREAM') perStream.set(stream, (perStream.get(stream) ?? 0) + 1);
  expect([...perStream.values()].every((count) => count === 1)).toBe(true);
});
