import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import { BalancedClient, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';

expectNoLeaks();

let servers: FleetBackend[] = [];
let client: BalancedClient;

const calls = (count: number): Promise<unknown> => Promise.all(Array.from({ length: count }, () => client.say()));
const received = (): number[] => servers.map((server) => server.calls);
const shares = (): [number, number][] =>
  client.snapshot.priorities.map(({ priority, share }) => [priority, Math.round(share * 100) / 100]);

/** Two servers behind the first target, one behind the second. */
async function start(): Promise<[ManualDiscovery, ManualDiscovery]> {
  servers = await startBackends(3);
  const discoveries: [ManualDiscovery, ManualDiscovery] = [
    new ManualDiscovery(servers.slice(0, 2)),
    new ManualDiscovery(servers.slice(2)),
  ];
  client = await new BalancedClient({ target: discoveries.map(({ target }) => target) }).ready(2);
  return discoveries;
}

const failovers = (): unknown[] => client.events.flatMap((event) => (event.type === 'failover' ? event.priority : []));

test('the fallback gets no call and no connection while the first target has enough capacity, even with one of two missing', async () => {
  await start();
  await calls(20);
  await servers[0]!.stop();
  await client.until(() => client.states[servers[0]!.address] === 'transient_failure');
  await calls(20);
  expect(received()[2]).toBe(0);
  expect(servers[2]!.accepted).toBe(0);
  expect(shares()).toEqual([[0, 1]]);
  expect(failovers()).toEqual([]);
});

test('when the first target is gone the fallback gets all calls, and they return as soon as one is back; none fails', async () => {
  await start();
  await Promise.all(servers.slice(0, 2).map((server) => server.drain()));
  const load = new SteadyLoad(() => client.say('x', { waitForReady: true }), 200);
  await client.until(() => client.states[servers[2]!.address] === 'ready');
  await load.run(50);
  expect(received()[2]).toBeGreaterThanOrEqual(50);
  expect(client.snapshot).toMatchObject({ state: 'ready', priorities: [{ share: 0 }, { priority: 1, share: 1 }] });
  await servers[0]!.restart();
  await client.until(() => client.states[servers[0]!.address] === 'ready');
  // Calls that were picked before may still be in transit.
  const fallback = client.snapshot.endpoints.find(({ address }) => address === servers[2]!.address);
  expect(fallback).toBeDefined();
  const inFlightThere = (): boolean =>
    client.snapshot.endpoints.some(({ address, inFlight }) => address === fallback!.address && inFlight > 0);
  await load.until(() => !inFlightThere());
  const before = received()[2];
  await load.run(50);
  expect(received()[2]).toBe(before);
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(failovers()).toEqual([1, 0]);
});

test('a target that fails from the start is skipped, and the client waits for a target that answers late', async () => {
  servers = await startBackends(2);
  const [first, second] = [new ManualDiscovery(), new ManualDiscovery(servers.slice(1))];
  client = new BalancedClient({ target: [first.target, second.target] });
  await client.ready(1);
  await calls(10);
  expect(received()).toEqual([0, 10]);
  expect(client.snapshot.source).toMatchObject({ state: 'stale', endpoints: 1 });
  expect(client.snapshot.sources.map(({ state }) => state)).toEqual(['failed', 'ok']);
  // The first priority stays empty, so that its absence is visible.
  expect(shares()).toEqual([[1, 1]]);
  expect(failovers()).toEqual([1]);
  first.set(servers.slice(0, 1));
  await client.until(() => client.states[servers[0]!.address] === 'ready');
  await calls(10);
  expect(received()).toEqual([10, 10]);
  expect(failovers()).toEqual([1, 0]);
});

test('priorities within one list are renumbered: with a quarter of the first healthy, half of the calls go to the second', async () => {
  servers = await startBackends(6);
  const discovery = new ManualDiscovery();
  const address = ({ host, port }: FleetBackend) => ({ host, port });
  discovery.setEndpoints(servers.map((server, i) => ({ address: address(server), priority: i < 4 ? 0 : 7 })));
  client = await new BalancedClient({ target: discovery.target }).ready(4);
  expect(shares()).toEqual([[0, 1]]);
  await Promise.all(servers.slice(1, 4).map((server) => server.stop()));
  await client.until(() => shares().length === 2 && shares()[1]![1] === 0.5);
  expect(shares()).toEqual([
    [0, 0.5],
    [1, 0.5],
  ]);
  const before = received();
  await calls(400);
  const [one, , , , five, six] = received().map((count, i) => count - before[i]!);
  expect(one! + five! + six!).toBe(400);
  // Half of 400 at random: five standard deviations are 50.
  expect(one).toBeGreaterThan(150);
  expect(one).toBeLessThan(250);
});

test('an endpoint that moves to a later priority serves without a pause', async () => {
  servers = await startBackends(2);
  const [stays, dead] = servers.map(({ host, port }) => ({ host, port }));
  await servers[1]!.stop();
  const discovery = new ManualDiscovery();
  discovery.setEndpoints([{ address: stays! }]);
  client = await new BalancedClient({ target: discovery.target }).ready(1);
  const load = new SteadyLoad(() => client.say(), 200);
  await load.run(20);
  discovery.setEndpoints([{ address: dead! }, { address: stays!, priority: 1 }]);
  await load.run(60);
  await load.stop();
  expect(load.failures).toEqual([]);
  // A pause of 200 ms would affect forty calls.
  expect(load.mostOpen).toBeLessThan(40);
  expect(servers[0]!.accepted).toBe(1);
  expect(client.events.filter(({ type }) => type === 'connection_closed')).toEqual([]);
});
