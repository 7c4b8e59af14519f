import * as grpc from '@grpc/grpc-js';
import type { LoadBalancingOptions } from 'nestjs-grpc-lb';
import type { BalancedChannel, CallObservation } from 'nestjs-grpc-lb/grpc';
import { expect, test } from 'vitest';
import { SilentDiscovery } from '../../support/echo/balanced-client.js';
import { balanced, connected } from '../../support/calls/call.js';
import { RawPeer } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const methods = [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }];

type What = keyof CallObservation | 'callStarted';

interface Watched {
  readonly channel: BalancedChannel;
  readonly client: grpc.Client;
  /** Starts a call; resolves with the statuses that its listener got until nothing more comes. */
  run(): Promise<grpc.StatusObject[]>;
}

/** A client whose observer does something in the middle of its first call. */
function watched(
  target: string,
  when: What,
  act: (call: grpc.experimental.CallStream, channel: BalancedChannel) => void,
  loadBalancing: LoadBalancingOptions = {},
): Watched {
  let running: grpc.experimental.CallStream | undefined;
  let acted = false;
  const actOn = (what: What) => (): void => {
    if (what !== when || acted) return;
    acted = true;
    act(running!, channel);
  };
  const { channel, client } = balanced(target, {
    methods,
    loadBalancing,
    observer: {
      callStarted: () => {
        actOn('callStarted')();
        return { waits: actOn('waits'), attemptStarted: actOn('attemptStarted'), attemptEnded: actOn('attemptEnded') };
      },
    },
  });
  const run = async (): Promise<grpc.StatusObject[]> => {
    running = channel.createCall('/echo.v1.Echo/Say', Infinity);
    const statuses: grpc.StatusObject[] = [];
    await new Promise<void>((resolve) => {
      running!.start(new grpc.Metadata(), {
        onReceiveMetadata() {},
        onReceiveMessage() {},
        onReceiveStatus(status) {
          statuses.push(status);
          resolve();
        },
      });
      running!.sendMessageWithContext({}, Buffer.from('ask'));
      running!.halfClose();
      running!.startRead();
    });
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    return statuses;
  };
  return { channel, client, run };
}

const cancel = (call: grpc.experimental.CallStream): void => call.cancelWithStatus(grpc.status.CANCELLED, 'enough');
const enough = [expect.objectContaining({ code: grpc.status.CANCELLED, details: 'enough' })];

test('a call that its observer cancels as it starts ends once, and is not sent', async () => {
  const peer = await new RawPeer(() => {}).start();
  const { client, run } = watched(peer.target, 'callStarted', cancel);
  await connected(client);
  expect(await run()).toEqual(enough);
  expect(peer.calls).toEqual([]);
});

test('an attempt whose observer cancels the call as it is sent is reset', async () => {
  const peer = await new RawPeer(() => {}).start();
  const { channel, client, run } = watched(peer.target, 'attemptStarted', cancel);
  await connected(client);
  expect(await run()).toEqual(enough);
  expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
  await expect.poll(() => peer.count('RST_STREAM')).toBe(1);
});

test('a call that its observer cancels as it begins to wait does not wait', async () => {
  const peer = await new RawPeer(() => {}).start();
  const discovery = new SilentDiscovery();
  const { channel, client, run } = watched(discovery.target, 'waits', cancel);
  expect(await run()).toEqual(enough);
  expect(channel.snapshot().pending).toBe(0);
  discovery.setEndpoints([{ address: { host: '127.0.0.1', port: peer.port } }]);
  await connected(client);
  expect(channel.snapshot().endpoints[0]).toMatchObject({ started: 0, inFlight: 0 });
});

test('a call ends once whose observer cancels it as an attempt times out', async () => {
  const peer = await new RawPeer(() => {}).start();
  const { channel, client, run } = watched(peer.target, 'attemptEnded', cancel, { retry: { attemptTimeout: 20 } });
  await connected(client);
  expect(await run()).toHaveLength(1);
  expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
});

test('of a hedged call that its observer cancels as one attempt wins, the winner is reset too', async () => {
  const peers = await Promise.all([new RawPeer(() => {}).start(), new RawPeer(() => {}).start()]);
  const target = `static:///${peers.map(({ address }) => address).join(',')}`;
  const { channel, run } = watched(target, 'attemptEnded', cancel, {
    hedge: { maxAttempts: 2, delay: 0, methods: { Say: true } },
  });
  channel.connect();
  await expect.poll(() => channel.snapshot().endpoints.map(({ state }) => state)).toEqual(['ready', 'ready']);
  const ended = run();
  await Promise.all(peers.map((peer) => peer.arrived(1)));
  // Headers alone: the attempt wins, and its call stays open.
  const second = peers.find(({ calls }) => calls[0]!.headers['grpc-previous-rpc-attempts'] === '1')!;
  second.calls[0]!.stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
  expect(await ended).toEqual(enough);
  expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
  for (const peer of peers) await expect.poll(() => peer.count('RST_STREAM')).toBe(1);
});

test('a call whose observer closes the client as it begins to wait ends', async () => {
  const { channel, run } = watched(new SilentDiscovery().target, 'waits', (_call, closed) => closed.close());
  expect(await run()).toEqual([expect.objectContaining({ code: grpc.status.UNAVAILABLE })]);
  expect(channel.snapshot().pending).toBe(0);
});
