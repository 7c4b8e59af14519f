import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { TcpProxy } from '../../support/peers/tcp-proxy.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

/** Behind an L4 load balancer, each connection leads to the backend that it chooses. */
let proxy: TcpProxy;
let good: FleetBackend;
let ill: FleetBackend;
let client: BalancedClient;

const told = (type: string): number => client.events.filter((event) => event.type === type).length;
const server = async (): Promise<string> => (await client.say()).server;

async function start(idleTimeout: number): Promise<void> {
  [good, ill] = (await startBackends(2, { health: true })) as [FleetBackend, FleetBackend];
  ill.setHealth('NOT_SERVING', '');
  proxy = await new TcpProxy(good.address).start();
  const loadBalancing = { pool: { idleTimeout } };
  client = await new BalancedClient({ target: `static:///${proxy.address}`, loadBalancing }).ready(1);
  proxy.target = ill.address;
  client.balanced.endpointActions.recycle(proxy.address);
  await client.until(() => told('connection_opened') === 2);
}

test('a connection that serves is not replaced by one that leads to a backend which does not, until it does', async () => {
  await start(600_000);
  expect(await server()).toBe(good.address);
  expect(client.states).toEqual({ [proxy.address]: 'ready' });
  expect(told('connection_closed')).toBe(0);
  ill.setHealth('SERVING', '');
  await client.until(() => told('connection_closed') === 1);
  expect(await server()).toBe(ill.address);
});

test('another replacement is opened if that one does not serve for the idle timeout', async () => {
  await start(1000);
  proxy.target = good.address;
  await client.until(() => told('connection_opened') === 3);
  await client.until(() => told('connection_closed') === 2);
  expect(client.snapshot.endpoints[0]!.connections).toMatchObject([{ state: 'ready', health: 'serving' }]);
  expect(await server()).toBe(good.address);
});
