import { setTimeout as delay } from 'node:timers/promises';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import { BalancedClient, cancelled, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { echoFleet, startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

let servers: FleetBackend[] = [];
let client: BalancedClient;

test('a stream on a connection that drains, or that is beyond size, outlives the GOAWAY of its server', async () => {
  servers = await startBackends(2);
  const discovery = new ManualDiscovery(servers);
  client = await new BalancedClient({ target: discovery.target, loadBalancing: { policy: 'round_robin' } }).ready(2);
  const opened = await Promise.all([client.openStream(), client.openStream()]);
  const leaving = opened.find(({ server }) => server === servers[0]!.address)!;
  const cut: Error[] = [];
  leaving.stream.on('error', (error) => cut.push(error));
  discovery.set(servers.slice(1));
  await client.until(() => client.states[servers[0]!.address] === 'draining');
  const gone = servers[0]!.drain();
  await client.until(() => client.events.some(({ type }) => type === 'connection_closed'));
  await delay(20);
  expect(cut).toEqual([]);
  // The stream counts, and its endpoint stays, until it has ended.
  expect(client.snapshot.endpoints.find(({ address }) => address === servers[0]!.address)).toMatchObject({
    inFlight: 1,
  });
  await Promise.all(opened.map(({ stream }) => cancelled(stream)));
  await client.until(() => client.snapshot.endpoints.length === 1);
  await gone;
});

test('a replacement connection counts separately from the one that carries the old streams', async () => {
  const fleet = await echoFleet([{ maxConcurrentStreams: 2 }]);
  const { 0: server } = fleet;
  client = await new BalancedClient({ target: staticTarget([server]), loadBalancing: { pool: { maxSize: 1 } } }).ready(
    1,
  );
  const streams = [(await client.openStream()).stream, (await client.openStream()).stream];
  const gone = server.drain();
  await client.until(() => client.states[server.address] !== 'ready');
  await fleet.add({ port: server.port });
  await client.ready(1);
  await client.say();
  for (const stream of streams) await cancelled(stream);
  await gone;
});

test('an endpoint is never without a connection, in whatever order old ones age, are lost and come back', async () => {
  const clock = new FakeClock();
  servers = await startBackends(1);
  const [server] = servers as [FleetBackend];
  const loadBalancing = { pool: { maxConnectionAge: 60_000 } };
  client = await new BalancedClient({ target: staticTarget(servers), clock, loadBalancing }).ready(1);
  // Too old, and lost while its replacement is refused.
  await server.stop();
  clock.advance(70_000);
  await client.until(() => client.states[server.address] === 'transient_failure');
  await server.restart();
  await client.ready(1);
  expect(client.snapshot.endpoints[0]!.connections).toHaveLength(1);
  await client.say();
  // Too old, and replaced while it still answers.
  clock.advance(70_000);
  await client.until(() =>
    client.events.some((event) => event.type === 'connection_closed' && event.reason === 'retired: age'),
  );
  expect(client.snapshot.endpoints[0]!.connections).toHaveLength(1);
  await client.say();
});

test('callers that call again at once do not overtake pending calls', async () => {
  servers = await startBackends([{ maxConcurrentStreams: 2 }]);
  for (const server of servers) {
    server.slow(1);
  }
  client = await new BalancedClient({
    target: staticTarget(servers),
    loadBalancing: { pool: { maxSize: 1 }, health: { enabled: false } },
  }).ready(1);
  const answered = [0, 0, 0, 0];
  let stop = false;
  await Promise.all(
    answered.map(async (_, i) => {
      while (!stop) {
        await client.say();
        answered[i]!++;
        stop ||= answered[i] === 100;
      }
    }),
  );
  expect(Math.min(...answered)).toBeGreaterThan(90);
});

test('bad discovery data is dropped, reported once and counted, and the valid rest is used', async () => {
  servers = await startBackends(2);
  const discovery = new ManualDiscovery(servers);
  client = await new BalancedClient({ target: discovery.target }).ready(2);
  const good = servers.map(({ port }) => ({ address: { host: '127.0.0.1', port } }));
  for (const bad of [[{}], null, 'text', [{ address: { host: 'x', port: 99_999 } }], [{ address: { host: 'x' } }]]) {
    discovery.setEndpoints(bad as never);
    expect(client.snapshot.source.state).toBe('stale');
  }
  discovery.setEndpoints([...good, { ...good[0]!, weight: NaN }, { address: { host: 'x', port: 0 } }] as never);
  expect(client.snapshot.source).toMatchObject({
    state: 'ok',
    dropped: 7,
    error: expect.stringContaining('2 of 4 endpoints dropped'),
  });
  expect(client.snapshot.endpoints.map(({ state }) => state)).toEqual(['ready', 'ready']);
  await client.say();
});

test('a listener may configure the client, and one that throws does no harm', async () => {
  servers = await startBackends([{ maxConcurrentStreams: 1 }]);
  const warned = new Promise((resolve) => process.once('warning', resolve));
  client = new BalancedClient({
    target: staticTarget(servers),
    loadBalancing: { pool: { maxSize: 1 }, health: { enabled: false } },
  });
  const events = client.events;
  const push = events.push.bind(events);
  events.push = (...items) => {
    if (items[0]!.type === 'endpoint_added') throw new Error('a listener of the user');
    if (items[0]!.type === 'pool_saturated')
      client.balanced.configure({ pool: { maxSize: 10 }, health: { enabled: false } });
    return push(...items);
  };
  await client.ready(1);
  await expect(warned).resolves.toMatchObject({ message: expect.stringContaining('failed at endpoint_added') });
  servers[0]!.hang();
  const calls = [client.say(), client.say()];
  await eventually(() => servers[0]!.calls === 2);
  servers[0]!.recover();
  await expect(Promise.all(calls)).resolves.toHaveLength(2);
});

test('a closed client stays closed', async () => {
  servers = await startBackends(1);
  client = await new BalancedClient({ target: staticTarget(servers) }).ready(1);
  client.close();
  client.balanced.connect();
  await expect(client.say()).rejects.toThrow('shut down');
  expect(() => client.balanced.configure({})).toThrow(/client ECHO is closed/);
  expect(servers[0]!.accepted).toBe(1);
});
