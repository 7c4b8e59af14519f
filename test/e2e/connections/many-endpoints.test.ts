import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import type { Endpoint } from '../../../libs/grpc-lb/src/core/endpoint.js';
import { BalancedClient, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { startBackend } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

let server: FleetBackend;
let client: BalancedClient;

/** All of 127.0.0.0/8 is this machine, so that one server is many endpoints. */
function endpoints(count: number, first = 0): Endpoint[] {
  return Array.from({ length: count }, (_, i) => {
    const n = first + i + 1;
    return { address: { host: `127.0.${n >> 8}.${n & 255}`, port: server.port } };
  });
}

async function start(count: number, loadBalancing = {}): Promise<ManualDiscovery> {
  server = await startBackend({}, { host: '0.0.0.0' });
  const discovery = new ManualDiscovery();
  discovery.setEndpoints(endpoints(count));
  // On a busy machine it takes seconds until all have an answer: one that is given up meanwhile is dialed again.
  client = new BalancedClient({
    target: discovery.target,
    loadBalancing: { pool: { connectTimeout: 600_000 }, ...loadBalancing },
  });
  return discovery;
}

const counted = (type: string): number => client.events.filter((event) => event.type === type).length;

test('a client that starts with 300 endpoints has its first call answered before most of them are connected, and then connects to all', async () => {
  await start(300);
  await client.say();
  expect(server.accepted).toBeLessThan(150);
  await client.ready(300);
  expect(server.accepted).toBe(300);
});

test('an update that changes one of 300 endpoints opens one connection, and closes one', async () => {
  const discovery = await start(300);
  await client.ready(300);
  discovery.setEndpoints(endpoints(300, 1));
  await client.until(() => counted('connection_closed') === 1 && counted('connection_opened') === 301);
  expect(server.accepted).toBe(301);
  expect(client.snapshot.endpoints.filter(({ state }) => state === 'ready')).toHaveLength(300);
});

test('with a subset a client connects to that many endpoints of any list; a change costs one connection at most', async () => {
  const discovery = await start(100, { subset: { size: 20 } });
  await client.ready(20);
  expect(client.snapshot).toMatchObject({ source: { endpoints: 100 }, priorities: [{ endpoints: 20, healthy: 20 }] });
  let connections = server.accepted;
  expect(connections).toBe(20);
  for (let first = 1; first <= 10; first++) {
    discovery.setEndpoints(endpoints(100, first));
    await client.until(() => client.snapshot.source.updates === first + 1);
    await client.ready(20);
    // One came and one left: each may bring a new one in.
    expect(server.accepted - connections).toBeLessThanOrEqual(2);
    connections = server.accepted;
  }
});

test('the size of the subset changes while the client runs', async () => {
  await start(50, { subset: { size: 5 } });
  await client.ready(5);
  client.balanced.configure({ subset: { size: 8 } });
  await client.ready(8);
  client.balanced.configure({});
  await client.ready(50);
  client.balanced.configure({ subset: { size: 3 } });
  await client.until(() => client.snapshot.endpoints.length === 3);
  expect(counted('connection_closed')).toBeGreaterThanOrEqual(47);
});
