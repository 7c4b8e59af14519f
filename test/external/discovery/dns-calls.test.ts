import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet, FleetBackend } from 'nestjs-grpc-lb/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dnsSourceFactory, registerEndpointSource } from '../../../libs/grpc-lb/src/discovery/index.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { echoFleet, startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { Knot, ZONE } from './knot.js';

expectNoLeaks();

// SRV records have no TTL for Node, and the default interval of 10 s is long for a test.
registerEndpointSource('quick+srv', dnsSourceFactory({ minRefreshInterval: 100, refreshInterval: 300 }));

let knot: Knot;
let fleet: Fleet;
let servers: FleetBackend[] = [];
let client: BalancedClient;

beforeAll(async () => {
  knot = await new Knot().start();
});

afterAll(() => knot.close());

/** Servers on different addresses with the same port, like pods. */
async function startPods(...hosts: readonly string[]): Promise<FleetBackend[]> {
  const pods: FleetBackend[] = [];
  for (const host of hosts) {
    const pod = await fleet.add({ host, ...(servers[0] && { port: servers[0].port }) });
    servers.push(pod);
    pods.push(pod);
  }
  return pods;
}

const hostsOf = (pods: readonly FleetBackend[]): string[] => pods.map(({ host }) => host);
const addresses = (pods: readonly FleetBackend[]): string[] => pods.map(({ address }) => address).toSorted();

/** Resolves when exactly these are ready, and earlier ones are removed. */
const untilOnly = (pods: readonly FleetBackend[]): Promise<void> =>
  client.until(() => {
    const { endpoints } = client.snapshot;
    const ready = endpoints.filter(({ state }) => state === 'ready').map(({ address }) => address);
    return endpoints.length === pods.length && ready.toSorted().join() === addresses(pods).join();
  });

test('A records: no call fails through scale up, scale down, replace all, and restarts of the DNS server', async () => {
  fleet = await echoFleet(0);
  servers = [];
  const first = await startPods('127.0.0.2', '127.0.0.3');
  await knot.set('orders', 1, 'A', ...hostsOf(first));
  const target = `dns://${knot.address}/orders.${ZONE}:${first[0]!.port}`;
  client = await new BalancedClient({ target }).ready(2);
  const load = new SteadyLoad(() => client.say('x', { deadline: Date.now() + 5000 }), 200);
  await load.run(50);

  const more = await startPods('127.0.0.4', '127.0.0.5');
  await knot.set('orders', 1, 'A', ...hostsOf(servers));
  await untilOnly(servers);
  // They are in slow start, so that their first calls are random.
  while (more.some(({ calls }) => calls === 0) && load.failures.length === 0) await delay(5);
  await load.run(100);

  // As in a cluster: a pod leaves DNS, and after the pause of its preStop hook it ends.
  const stay = first[0]!;
  await knot.set('orders', 1, 'A', stay.host);
  await untilOnly([stay]);
  await Promise.all(servers.slice(1).map((server) => server.drain()));
  await load.run(100);

  const fresh = await startPods('127.0.0.6', '127.0.0.7', '127.0.0.8');
  await knot.set('orders', 1, 'A', ...hostsOf(fresh));
  await untilOnly(fresh);
  await stay.drain();
  await load.run(100);

  await knot.stop();
  await client.until(() => client.snapshot.source.state === 'stale');
  await load.run(200);
  expect(client.snapshot.endpoints).toHaveLength(3);
  await knot.start();
  await knot.set('orders', 1, 'A', ...hostsOf(fresh.slice(0, 2)));
  await untilOnly(fresh.slice(0, 2));
  await load.run(100);
  await load.stop();

  expect(load.failures).toEqual([]);
  expect(load.succeeded).toBeGreaterThanOrEqual(650);
  // Endpoints that stayed were not reconnected.
  expect(servers.map(({ accepted }) => accepted)).toEqual(servers.map(() => 1));
});

test('SRV records: no call fails while ports, weights and targets change, and weights share the calls', async () => {
  servers = await startBackends(4);
  await knot.set('local', 60, 'A', '127.0.0.1');
  const name = '_grpc._tcp.orders';
  const record = ({ port }: FleetBackend, weight = 1): string => `0 ${weight} ${port} local.${ZONE}.`;
  const [a, b, c, d] = servers as [FleetBackend, FleetBackend, FleetBackend, FleetBackend];
  await knot.set(name, 1, 'SRV', record(a), record(b));
  client = await new BalancedClient({ target: `quick+srv://${knot.address}/${name}.${ZONE}` }).ready(2);
  const load = new SteadyLoad(() => client.say('x', { deadline: Date.now() + 5000 }), 200);
  await load.run(50);

  await knot.set(name, 1, 'SRV', ...servers.map((server) => record(server)));
  await untilOnly(servers);
  await load.run(100);
  await knot.set(name, 1, 'SRV', record(c, 3), record(d, 1));
  await untilOnly([c, d]);
  await Promise.all([a.drain(), b.drain()]);
  await knot.stop();
  await load.run(50);
  await knot.start();
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(servers.map(({ accepted }) => accepted)).toEqual([1, 1, 1, 1]);

  // Sequential, so that only weights decide: 3/4 of 400 are 300, with a standard deviation of 8.7.
  const before = c.calls;
  for (let i = 0; i < 400; i++) await client.say();
  expect(Math.abs(c.calls - before - 300)).toBeLessThan(6 * 8.7);
});
