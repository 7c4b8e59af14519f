import type { EventEmitter } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import {
  type Balanced,
  balanced,
  call,
  connected,
  KINDS,
  type CallSpec,
  type Kind,
  type Result,
} from '../../support/calls/call.js';
import { answer, message, RawPeer } from '../../support/peers/raw-peer.js';
import { metadataOf, ScriptedBackend } from '../../support/nest/backend.js';
import { deferred } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

type Parent = NonNullable<grpc.CallOptions['parent']>;

/** A server's call, from which a test makes others; `end` ends it. */
async function parentCall(
  deadline: grpc.Deadline = Infinity,
): Promise<{ parent: Parent; cancel: () => Promise<void>; end: () => Promise<unknown> }> {
  const arrived = deferred<Parent>();
  let done!: () => void;
  const backend = await new ScriptedBackend({
    say: (incoming, answered) => {
      done = () => answered(null, {});
      arrived.resolve(incoming as unknown as Parent);
    },
  }).start();
  const { client } = balanced(backend.target);
  let cancelIt!: () => void;
  const result = call(client, 'unary', {
    requests: [''],
    deadline,
    onCall: (started) => (cancelIt = () => started.cancel()),
  });
  const parent = await arrived.promise;
  return {
    parent,
    cancel: async () => {
      const cancelled = new Promise<void>((resolve) => (parent as unknown as EventEmitter).once('cancelled', resolve));
      cancelIt();
      await cancelled;
    },
    end: () => {
      done();
      return result;
    },
  };
}

const listeners = (parent: Parent): number => (parent as unknown as EventEmitter).listenerCount('cancelled');

describe.each(KINDS)('%s', (kind: Kind) => {
  async function child(
    parent: Parent,
    spec: CallSpec = {},
  ): Promise<Balanced & { peer: RawPeer; result: Promise<Result> }> {
    const peer = await new RawPeer(() => {}).start();
    const made = balanced(peer.target);
    await connected(made.client);
    const result = call(made.client, kind, { parent, ...spec });
    return { ...made, peer, result };
  }

  test('a call ends with its parent, and its stream is reset', async () => {
    const { parent, cancel } = await parentCall();
    const before = listeners(parent);
    const { peer, result, channel } = await child(parent);
    await peer.arrived(1);
    expect(listeners(parent)).toBe(before + 1);
    await cancel();
    expect(await result).toMatchObject({ code: grpc.status.CANCELLED, details: 'Cancelled by parent call' });
    await expect.poll(() => peer.count('RST_STREAM')).toBe(1);
    // The backend's own has been called once, and is gone as well.
    expect(listeners(parent)).toBe(before - 1);
    expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
  });

  test('a call takes the deadline of its parent if that is earlier', async () => {
    const { parent, end } = await parentCall(Date.now() + 60_000);
    for (const [deadline, most] of [
      [Infinity, 60_100],
      [Date.now() + 10_000, 10_000],
      [Date.now() + 600_000, 60_100],
    ] as const) {
      const { peer, result, channel } = await child(parent, { deadline });
      await peer.arrived(1);
      const left = Number.parseInt(peer.calls[0]!.headers['grpc-timeout'] as string, 10);
      expect(left).toBeLessThanOrEqual(most);
      expect(left).toBeGreaterThan(most / 2);
      peer.calls[0]!.stream.close();
      await result;
      channel.close();
    }
    await end();
  });

  test('propagate_flags say what it takes over', async () => {
    const { parent, end } = await parentCall(Date.now() + 60_000);
    const before = listeners(parent);
    const { peer, result } = await child(parent, { propagate_flags: grpc.propagate.CENSUS_STATS_CONTEXT });
    await peer.arrived(1);
    expect(peer.calls[0]!.headers['grpc-timeout']).toBeUndefined();
    expect(listeners(parent)).toBe(before);
    peer.calls[0]!.stream.close();
    await result;
    await end();
  });

  test('a call of a parent that is cancelled already is not sent, where grpc-js would send it', async () => {
    const { parent, cancel } = await parentCall();
    await cancel();
    const { peer, result } = await child(parent);
    expect(await result).toMatchObject({ code: grpc.status.CANCELLED, details: 'Cancelled by parent call' });
    expect(peer.count('HEADERS')).toBe(0);
  });
});

test('listeners on the parent are removed however the call ends', async () => {
  const { parent, end } = await parentCall();
  const before = listeners(parent);
  const peer = await new RawPeer((arrived) => {
    const how = arrived.headers['x-how'];
    if (how === 'ok') answer(arrived, { messages: [message('hello')] });
    if (how === 'error') answer(arrived, { trailers: { 'grpc-status': 9 } });
  }).start();
  const { client } = balanced(peer.target);
  for (const kind of KINDS) {
    await call(client, kind, { parent, metadata: metadataOf({ 'x-how': 'ok' }) });
    await call(client, kind, { parent, metadata: metadataOf({ 'x-how': 'error' }) });
    await call(client, kind, { parent, onCall: (started) => started.cancel() });
    await call(client, kind, { parent, deadline: Date.now() + 20 });
    await call(client, kind, { parent, deadline: 0 });
    await call(client, kind, { parent, metadata: metadataOf({ connection: 'keep-alive' }) });
  }
  expect(listeners(parent)).toBe(before);
  await end();
});
