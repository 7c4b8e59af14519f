import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import { POLICY_NAMES } from '../../../libs/grpc-lb/src/core/options/policy-config.js';
import { BalancedClient, cancelled, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { Stopwatch } from '../../support/time/stopwatch.js';

expectNoLeaks();

let servers: FleetBackend[] = [];
let client: BalancedClient;

async function start(all: number, known = all, loadBalancing = {}): Promise<ManualDiscovery> {
  servers = await startBackends(all);
  const discovery = new ManualDiscovery(servers.slice(0, known));
  client = await new BalancedClient({ target: discovery.target, loadBalancing }).ready(known);
  return discovery;
}

const connections = (): number[] => servers.map((server) => server.accepted);

test('scaling from 2 to 4 and down to 1 under load and ten streams: nothing fails, nothing is cut, nothing that stays is reopened', async () => {
  const discovery = await start(4, 2);
  for (const server of servers) server.slow(20);
  const streams = await Promise.all(Array.from({ length: 10 }, () => client.openStream()));
  const cut: Error[] = [];
  for (const { stream } of streams) stream.on('error', (error) => cut.push(error));
  const load = new SteadyLoad(() => client.say(), 300);

  const scaledUp = async (): Promise<void> => {
    discovery.set(servers);
    await client.ready(4);
    await load.until(() => servers.slice(2).every(({ calls }) => calls > 0));
  };
  expect(await new Stopwatch().time(scaledUp)).toBeLessThan(1000);
  await load.run(150);

  discovery.set(servers.slice(0, 1));
  const [stays, leaves] = servers as [FleetBackend, FleetBackend];
  // Calls sent before arrive.
  await load.run(20);
  const callsBefore = servers.slice(1).map(({ calls }) => calls);
  await load.run(150);
  // Removed endpoints got no new call, and their streams are kept.
  expect(servers.slice(1).map(({ calls }) => calls)).toEqual(callsBefore);
  await load.stop();
  expect(stays.inFlight + leaves.inFlight).toBe(10);

  expect(load.failures).toEqual([]);
  expect(load.succeeded).toBeGreaterThanOrEqual(300);
  expect(connections()).toEqual([1, 1, 1, 1]);
  expect(cut).toEqual([]);
  expect(client.states[leaves.address]).toBe('draining');

  // A removed endpoint goes with its last streams.
  await Promise.all(streams.map(({ stream }) => cancelled(stream)));
  await client.until(() => client.snapshot.endpoints.length === 1);
  expect(client.snapshot.inFlight).toBe(0);
});

test('an endpoint that comes back while it drains keeps its connection', async () => {
  const discovery = await start(2);
  const [first, second] = servers as [FleetBackend, FleetBackend];
  const streams = await Promise.all([client.openStream(), client.openStream()]);
  discovery.set([first]);
  await client.until(() => client.states[second.address] === 'draining');
  discovery.set(servers);
  await client.until(() => client.states[second.address] === 'ready');
  await Promise.all(Array.from({ length: 10 }, () => client.say()));
  expect(second.calls).toBeGreaterThan(0);
  expect(connections()).toEqual([1, 1]);
  await Promise.all(streams.map(({ stream }) => cancelled(stream)));
});

test('replacing all endpoints at once loses no call', async () => {
  const discovery = await start(4, 2);
  for (const server of servers.slice(0, 2)) server.hang();
  const before = Array.from({ length: 10 }, () => client.say());
  await eventually(() => servers[0]!.calls + servers[1]!.calls === 10);
  discovery.set(servers.slice(2));
  // On a busy machine a list waits if the one before took long; until then calls go to the old endpoints.
  await client.until(() => client.states[servers[0]!.address] === 'draining');
  const after = Promise.all(Array.from({ length: 10 }, () => client.say()));
  const byNewcomers = new Set((await after).map(({ server }) => server));
  expect([...byNewcomers].every((address) => servers.slice(2).some((server) => server.address === address))).toBe(true);
  for (const server of servers) server.recover();
  await expect(Promise.all(before)).resolves.toHaveLength(10);
});

test('a failed or empty answer of discovery keeps the last good list, with an event', async () => {
  const discovery = await start(2);
  discovery.fail('the registry is gone');
  discovery.fail('the registry is gone');
  expect(client.snapshot.source).toMatchObject({ state: 'stale', error: 'the registry is gone' });
  await Promise.all(Array.from({ length: 10 }, () => client.say()));
  discovery.set([]);
  expect(client.snapshot.source).toMatchObject({ state: 'stale', error: `${discovery.target} lists no endpoints` });
  await client.say();
  discovery.set(servers);
  expect(client.snapshot.source).toMatchObject({ state: 'ok', error: null, staleForMs: null });
  // Flapping is reported once in ten seconds.
  await client.until(() => client.events.some(({ type }) => type === 'discovery_recovered'));
  const told = client.events.map(({ type }) => type).filter((type) => type.startsWith('discovery_'));
  expect(told).toEqual(['discovery_updated', 'discovery_failed', 'discovery_recovered']);
  expect(connections()).toEqual([1, 1]);
});

test('discovery without endpoints from the start fails calls at once, and calls with waitForReady go out when it lists some', async () => {
  servers = await startBackends(1);
  const discovery = new ManualDiscovery();
  client = new BalancedClient({ target: discovery.target });
  await expect(client.say()).rejects.toMatchObject({
    code: 14,
    details: expect.stringContaining('lists no endpoints'),
  });
  expect(
    client.events.find((event) => event.type === 'client_state' && event.to === 'transient_failure'),
  ).toMatchObject({ reason: `discovery failed: ${discovery.target} lists no endpoints` });
  const patient = client.say('patient', { waitForReady: true });
  discovery.set(servers);
  await expect(patient).resolves.toMatchObject({ text: 'patient' });
});

test('an answer that changes nothing causes no event and no connection; weights are applied', async () => {
  const discovery = await start(2);
  const before = client.events.length;
  discovery.set(servers.toReversed());
  discovery.setEndpoints(servers.map(({ port }) => ({ address: { host: '127.0.0.1', port }, weight: 7 })));
  // Of which no event tells.
  await expect.poll(() => client.snapshot.endpoints.map(({ weight }) => weight)).toEqual([7, 7]);
  expect(client.events.slice(before)).toEqual([]);
  expect(connections()).toEqual([1, 1]);
});

test('a new policy under load loses no call and keeps connections and counters', async () => {
  await start(3);
  for (const server of servers) server.slow(5);
  const load = new SteadyLoad(() => client.say(), 300);
  for (const name of POLICY_NAMES) {
    const policy = name === 'ring_hash' ? { name, by: 'x-session-id' } : { name };
    client.balanced.configure({ policy });
    await load.run(60);
    expect(client.snapshot.loadBalancing!.policy).toEqual(policy);
  }
  client.balanced.configure({ policy: 'round_robin', pool: { size: 2 } });
  await load.run(60);
  await load.stop();
  expect(load.failures).toEqual([]);
  const started = client.snapshot.endpoints.reduce((sum, endpoint) => sum + endpoint.started, 0);
  expect(started).toBe(load.succeeded);
  expect(connections()).toEqual([2, 2, 2]);
});

test('faulty options at run time are rejected, and the current ones stay', async () => {
  await start(1, 1, { policy: 'round_robin' });
  expect(() => client.balanced.configure({ policy: 'lest_request' as never })).toThrow(/did you mean "least_request"/);
  expect(client.snapshot.loadBalancing!.policy).toEqual({ name: 'round_robin' });
  await client.say();
});

test('when a client closes, discovery stops and its calls in flight end by themselves', async () => {
  const discovery = await start(1);
  servers[0]!.hang();
  const call = client.say('late');
  await eventually(() => servers[0]!.inFlight === 1);
  client.close();
  expect(discovery.running).toBe(0);
  await expect(client.say()).rejects.toThrow('shut down');
  servers[0]!.recover();
  await expect(call).resolves.toMatchObject({ text: 'late' });
  expect(client.snapshot.state).toBe('shutdown');
});
