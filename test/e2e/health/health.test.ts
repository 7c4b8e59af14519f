import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { Stopwatch } from '../../support/time/stopwatch.js';

expectNoLeaks();

let servers: FleetBackend[] = [];
let client: BalancedClient;

async function start(count: number, loadBalancing = {}): Promise<void> {
  servers = await startBackends(count, { health: true });
  client = await new BalancedClient({ target: staticTarget(servers), loadBalancing }).ready(count);
}

const stateOf = (server: FleetBackend): string | undefined => client.states[server.address];

test('an endpoint that reports NOT_SERVING gets no new call within 100 ms, and gets calls again when it serves', async () => {
  await start(3, { slowStart: { enabled: false } });
  const [ill] = servers as [FleetBackend];
  const load = new SteadyLoad(() => client.say(), 300);
  await load.run(50);
  const noticed = (): Promise<void> => {
    ill.setHealth('NOT_SERVING', '');
    return client.until(() => stateOf(ill) === 'not_serving');
  };
  expect(await new Stopwatch().time(noticed)).toBeLessThan(100);
  await load.run(5);
  const before = ill.calls;
  await load.run(50);
  expect(ill.calls).toBe(before);
  ill.setHealth('SERVING', '');
  await client.until(() => stateOf(ill) === 'ready');
  await load.run(50);
  await load.stop();
  expect(ill.calls).toBeGreaterThan(before);
  expect(load.failures).toEqual([]);
  expect(client.events.find((event) => event.type === 'endpoint_state' && event.to === 'not_serving')).toMatchObject({
    reason: 'health of the server: NOT_SERVING',
  });
});

test('the health of the named service counts, and an unknown service does not serve', async () => {
  await start(2, { health: { service: 'echo.v1.Echo' } });
  servers[0]!.setHealth('NOT_SERVING', 'echo.v1.Echo');
  await client.until(() => stateOf(servers[0]!) === 'not_serving');
  client.balanced.configure({ health: { service: 'echo.v1.Misspelt' } });
  await client.until(() => stateOf(servers[1]!) === 'not_serving');
  expect(client.snapshot.endpoints[1]!.reason).toBe('health of echo.v1.Misspelt: SERVICE_UNKNOWN');
});

test('an endpoint is not picked before its health service has answered', async () => {
  servers = await startBackends(1, { health: true });
  servers[0]!.setHealth('NOT_SERVING');
  client = new BalancedClient({ target: staticTarget(servers), loadBalancing: { health: { panicThreshold: 0 } } });
  const call = client.say();
  call.catch(() => {});
  await client.until(() => stateOf(servers[0]!) === 'not_serving');
  expect(servers[0]!.calls).toBe(0);
  servers[0]!.setHealth('SERVING', '');
  await expect(call).rejects.toMatchObject({ details: expect.stringContaining('NOT_SERVING') });
  await client.ready(1);
  await client.say();
});

test('the watch does not count as load, and takes one of the streams that the peer allows', async () => {
  servers = await startBackends([{ maxConcurrentStreams: 3 }], { health: true });
  client = await new BalancedClient({ target: staticTarget(servers) }).ready(1);
  expect(client.snapshot).toMatchObject({
    inFlight: 0,
    endpoints: [{ started: 0, connections: [{ maxConcurrentStreams: 2 }] }],
  });
});

test('a server without a health service is healthy, with one event', async () => {
  servers = await startBackends(3);
  client = await new BalancedClient({ target: staticTarget(servers), loadBalancing: { pool: { size: 2 } } }).ready(3);
  await client.say();
  expect(client.events.filter(({ type }) => type === 'health_not_offered')).toHaveLength(1);
  const connections = client.snapshot.endpoints.flatMap((endpoint) => endpoint.connections);
  expect(new Set(connections.map(({ health }) => health))).toEqual(new Set(['not_offered']));
});

test('when too few endpoints are healthy, all connected ones are used, and an event and the snapshot show panic', async () => {
  await start(5);
  const load = new SteadyLoad(() => client.say(), 300);
  await load.run(30);
  for (const server of servers.slice(0, 3)) server.setHealth('NOT_SERVING', '');
  await client.until(() => client.snapshot.panic);
  await load.run(10);
  const before = servers.map(({ calls }) => calls);
  await load.run(100);
  expect(servers.every(({ calls }, i) => calls > before[i]!)).toBe(true);
  expect(client.snapshot.state).toBe('ready');
  for (const server of servers.slice(0, 3)) server.setHealth('SERVING', '');
  await client.until(() => !client.snapshot.panic);
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(client.events.filter(({ type }) => type === 'panic')).toMatchObject([
    { on: true, healthy: 2, connected: 5 },
    { on: false, healthy: 3, connected: 5 },
  ]);
});

test('a panic does not end with the last connection, nor with the client, but when enough are ready again', async () => {
  await start(2);
  const told = (): unknown[] => client.events.filter(({ type }) => type === 'panic');
  for (const server of servers) server.setHealth('NOT_SERVING', '');
  await client.until(
    () => told().length > 0 && client.snapshot.endpoints.every(({ state }) => state === 'not_serving'),
  );
  const cut = Promise.all(servers.map((server) => server.cut()));
  await client.until(() => client.snapshot.endpoints.every(({ state }) => state !== 'not_serving'));
  // No endpoint is connected, so this is not a panic; but nothing has improved either.
  expect(client.snapshot.panic).toBe(false);
  expect(told()).toEqual([expect.objectContaining({ on: true })]);
  await cut;
  await client.until(() => client.snapshot.endpoints.every(({ state }) => state === 'not_serving'));
  for (const server of servers) server.setHealth('SERVING', '');
  await client.until(() => told().length > 1);
  expect(told()[1]).toMatchObject({ on: false, connected: 2 });

  for (const server of servers) server.setHealth('NOT_SERVING', '');
  await client.until(() => told().length > 2);
  client.close();
  expect(told().slice(2)).toMatchObject([{ on: true }]);
});

test('health checks can be turned off, even while the client runs', async () => {
  await start(2, { health: { panicThreshold: 0 } });
  servers[0]!.setHealth('NOT_SERVING', '');
  await client.until(() => stateOf(servers[0]!) === 'not_serving');
  client.balanced.configure({ health: { enabled: false } });
  await client.until(() => stateOf(servers[0]!) === 'ready');
});
