import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import { BalancedClient, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

let servers: FleetBackend[] = [];
let client: BalancedClient;

const calls = (count: number): Promise<unknown> => Promise.all(Array.from({ length: count }, () => client.say()));
const received = (): number[] => servers.map((server) => server.calls);

/** Two servers in zone a, where the client is, and two in zone b. */
async function start(loadBalancing = {}): Promise<ManualDiscovery> {
  servers = await startBackends(4);
  const discovery = new ManualDiscovery();
  discovery.setEndpoints(
    servers.map(({ host, port }, i) => ({ address: { host, port }, locality: { zone: i < 2 ? 'a' : 'b' } })),
  );
  client = new BalancedClient({
    target: discovery.target,
    loadBalancing: { locality: { zone: 'a', minCrossZoneShare: 0 }, ...loadBalancing },
  });
  await client.ready(4);
  return discovery;
}

test('calls stay in the local zone, and the snapshot shows the zone of each endpoint', async () => {
  await start();
  await calls(40);
  expect(received()).toEqual([20, 20, 0, 0]);
  expect(client.snapshot).toMatchObject({ zone: 'a', priorities: [{ share: 1, crossZoneShare: 0 }] });
  expect(client.snapshot.endpoints.map(({ locality }) => locality)).toEqual([
    { zone: 'a' },
    { zone: 'a' },
    { zone: 'b' },
    { zone: 'b' },
  ]);
  const chances = client.balanced.explain().endpoints.map(({ chance }) => chance);
  expect(chances).toEqual([0.5, 0.5, 0, 0]);
});

test('a small share crosses, so that the zones can be compared', async () => {
  await start({ locality: { zone: 'a', minCrossZoneShare: 0.1 } });
  for (let i = 0; i < 10; i++) await calls(100);
  const [one, two, three, four] = received();
  // A tenth of 1000 at random: five standard deviations are 47.
  expect(three! + four!).toBeGreaterThan(53);
  expect(three! + four!).toBeLessThan(147);
  expect(one! + two! + three! + four!).toBe(1000);
});

test('when the local zone is gone the others get all calls, which return with it', async () => {
  await start();
  await Promise.all(servers.slice(0, 2).map((server) => server.drain()));
  await client.until(() => client.snapshot.priorities[0]!.crossZoneShare === 1);
  await calls(40);
  expect(received()).toEqual([0, 0, 20, 20]);
  await servers[0]!.start();
  await client.until(() => client.states[servers[0]!.address] === 'ready');
  await calls(40);
  // One of two is enough by the overprovisioning factor of 2.
  expect(received()).toEqual([40, 0, 20, 20]);
});

test('zones are ignored if the client has none, or if locality is off', async () => {
  await start({ locality: { enabled: false, zone: 'a' } });
  await calls(40);
  expect(received()).toEqual([10, 10, 10, 10]);
  expect(client.snapshot).toMatchObject({ zone: null, priorities: [{ crossZoneShare: null }] });
  client.balanced.configure({ locality: { zone: 'b', minCrossZoneShare: 0 } });
  await calls(40);
  expect(received()).toEqual([10, 10, 30, 30]);
});
