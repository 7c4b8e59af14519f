import type { ServerHttp2Session } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { beforeEach, expect, test } from 'vitest';
import { BalancedClient, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { type RawServer, refuse, startRawServers } from '../../support/peers/raw-server.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

let clock: FakeClock;
let client: BalancedClient;
let servers: FleetBackend[];

beforeEach(() => {
  clock = new FakeClock();
  servers = [];
});

const losses = (): number => client.events.filter(({ type }) => type === 'connection_closed').length;

/** Advances the clock by a minute, with time for the effects of each step. */
async function minute(): Promise<void> {
  for (let i = 0; i < 240; i++) {
    clock.advance(250);
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  }
}

test.each([
  ['closes them', (server: RawServer, session: ServerHttp2Session) => server.cut(session)],
  ['sends GOAWAY', (_: RawServer, session: ServerHttp2Session) => session.close()],
])('a peer that accepts connections and %s is dialed with backoff, and is not in use', async (_, end) => {
  const [looping] = (await startRawServers(1)) as [RawServer];
  looping.onConnection = (session) => end(looping, session);
  servers = await startBackends(1);
  const target = `static:///${looping.address},${servers[0]!.address}`;
  client = new BalancedClient({ target, clock, loadBalancing: { health: { enabled: false } } });
  client.balanced.connect();
  await client.until(() => client.states[looping.address] === 'transient_failure');
  expect(looping.accepted).toBe(2);
  expect(client.snapshot.endpoints[0]!.reason).toMatch(/^2 connections in a row were lost within 10 s/);
  await minute();
  expect(looping.accepted).toBeGreaterThanOrEqual(8);
  // 1, 1.6, 2.6, 4.1, and then 5 seconds, all ± 20 %.
  expect(looping.accepted).toBeLessThanOrEqual(20);
  expect(client.states[servers[0]!.address]).toBe('ready');
});

test('a peer that refuses every call and closes the connection is dialed with backoff as well', async () => {
  const [looping] = (await startRawServers(1)) as [RawServer];
  looping.onCall = (stream) => {
    refuse(stream);
    looping.cut(stream.session!);
  };
  servers = await startBackends(1);
  const target = `static:///${looping.address},${servers[0]!.address}`;
  client = new BalancedClient({ target, clock, loadBalancing: { policy: 'round_robin', health: { enabled: false } } });
  await client.ready(2);
  while (losses() < 1) await client.say();
  await client.ready(2);
  while (losses() < 2) await client.say();
  expect(client.states[looping.address]).toBe('transient_failure');
  expect(looping.accepted).toBe(2);
});

test('when all peers close their connections, calls fail with UNAVAILABLE and the reason instead of waiting forever', async () => {
  const closing = await startRawServers(3);
  for (const server of closing) server.onConnection = (session) => server.cut(session);
  client = new BalancedClient({ target: `static:///${closing.map(({ address }) => address).join(',')}`, clock });
  client.balanced.connect();
  await client.until(() => client.snapshot.state === 'transient_failure');
  const ends = await Promise.allSettled(Array.from({ length: 100 }, () => client.say()));
  for (const end of ends) {
    expect(end).toMatchObject({ status: 'rejected', reason: { code: status.UNAVAILABLE } });
    expect((end as PromiseRejectedResult).reason).toMatchObject({
      details: expect.stringMatching(/none of 3 endpoints is ready: 2 connections in a row were lost/),
    });
  }
  expect(client.snapshot.pending).toBe(0);
});

test('a connection that has answered a call is replaced at once, however short it lived', async () => {
  servers = await startBackends(1);
  client = await new BalancedClient({ target: `static:///${servers[0]!.address}`, clock }).ready(1);
  for (let round = 1; round <= 5; round++) {
    await client.say();
    await servers[0]!.cut();
    await client.until(() => losses() === round && client.states[servers[0]!.address] === 'ready');
  }
  expect(clock.now()).toBe(0);
});

test('after an outage the first ready endpoint causes the others to be dialed at once', async () => {
  servers = await startBackends(4);
  const [first, ...others] = servers as [FleetBackend, ...FleetBackend[]];
  const discovery = new ManualDiscovery(others);
  const channelOptions = { 'grpc.initial_reconnect_backoff_ms': 600_000, 'grpc.max_reconnect_backoff_ms': 600_000 };
  client = await new BalancedClient({ target: discovery.target, channelOptions }).ready(3);
  await Promise.all(others.map((server) => server.stop()));
  const failed = (): string[] => Object.values(client.states).filter((state) => state === 'transient_failure');
  await client.until(() => failed().length === 3);
  await Promise.all(others.map((server) => server.restart()));
  // Each of them would wait for ten minutes.
  discovery.set([...others, first]);
  await client.ready(4);
});
