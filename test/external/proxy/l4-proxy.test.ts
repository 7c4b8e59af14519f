import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { afterEach, expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { Haproxy } from './haproxy.js';

expectNoLeaks();

let servers: FleetBackend[];
let proxy: Haproxy;
let client: BalancedClient;

async function start(loadBalancing: object, enabled = 4): Promise<void> {
  servers = await startBackends(4);
  proxy = await new Haproxy(
    servers.map(({ address }) => address),
    enabled,
  ).start();
  client = await new BalancedClient({ target: `static:///127.0.0.1:${proxy.port}`, loadBalancing }).ready(1);
}

afterEach(async () => {
  client.close();
  await proxy.stop();
});

const calls = (): number[] => servers.map((server) => server.calls);
const opened = (): number => client.events.filter(({ type }) => type === 'connection_opened').length;

test('one connection through an L4 balancer sticks to one backend', async () => {
  await start({ pool: { maxSize: 1 } });
  for (let i = 0; i < 200; i++) await client.say();
  expect(calls().filter((count) => count > 0)).toEqual([200]);
});

test('a pool of eight connections reaches all four backends, the busiest with at most 1.5 times the mean', async () => {
  await start({ pool: { size: 8 } });
  await client.until(() => opened() === 8);
  for (let i = 0; i < 400; i++) await Promise.all([client.say(), client.say(), client.say()]);
  const mean = 1200 / 4;
  expect(Math.min(...calls())).toBeGreaterThan(0);
  expect(Math.max(...calls())).toBeLessThanOrEqual(1.5 * mean);
});

test('with maxConnectionAge a backend that is added behind the balancer gets its share, and no call fails', async () => {
  await start({ pool: { size: 8, maxConnectionAge: 1000 } }, 3);
  await client.until(() => opened() === 8);
  const load = new SteadyLoad(() => client.say('x', { deadline: Date.now() + 5000 }), 200);
  await load.run(20);
  expect(calls()[3]).toBe(0);
  await proxy.enable(3);
  // After all eight have been replaced.
  await client.until(() => opened() >= 16);
  const before = calls();
  await load.run(200);
  await load.stop();
  const since = calls().map((count, i) => count - before[i]!);
  expect(load.failures).toEqual([]);
  expect(since[3]).toBeGreaterThan(0);
});
