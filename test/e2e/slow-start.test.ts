import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { BalancedClient, ManualDiscovery } from '../support/balanced-client.js';
import { type EchoServer, startServers } from '../support/cluster.js';
import { expectNoLeaks } from '../support/leaks.js';
import { SteadyLoad } from '../support/steady-load.js';

expectNoLeaks();

let servers: EchoServer[] = [];
let client: BalancedClient;

afterEach(async () => {
  client.close();
  await Promise.all(servers.map((server) => server.kill()));
});

test('a newcomer beside three gets its share by and by, without a surge at the end of its window', async () => {
  servers = await startServers(4);
  for (const server of servers) {
    server.behaviour.say = async () => {
      await delay(5);
      return {};
    };
  }
  const [newcomer] = servers.slice(3) as [EchoServer];
  const discovery = new ManualDiscovery(servers.slice(0, 3));
  client = await new BalancedClient({ target: discovery.target, loadBalancing: { slowStart: { window: 4000 } } }).ready(
    3,
  );
  expect(client.snapshot.endpoints.map(({ warmth }) => warmth)).toEqual([1, 1, 1]);
  const load = new SteadyLoad(() => client.say(), 400);
  await load.run(40);
  discovery.set(servers);
  await client.ready(4);

  // The newcomer's share in each half second of its window, and in two after it.
  const shares: number[] = [];
  for (let i = 0; i < 10; i++) {
    const [own, all] = [newcomer.calls, load.succeeded];
    await load.run(200);
    shares.push((newcomer.calls - own) / (load.succeeded - all));
  }
  await load.stop();
  expect(load.failures).toEqual([]);
  // 5 to 6 % of a fair share of 25 % at first; a fair share at last. Three standard deviations of 200 draws at 25 % are 9 %.
  expect(shares[0]).toBeLessThan(0.06);
  expect(shares[2]).toBeLessThan(0.15);
  expect(shares[9]).toBeGreaterThan(0.15);
  expect(Math.max(...shares)).toBeLessThan(0.36);
});

test('at the start nobody starts slowly; one that comes back does; and when all do they are equal', async () => {
  servers = await startServers(2);
  const discovery = new ManualDiscovery(servers);
  client = await new BalancedClient({ target: discovery.target }).ready(2);
  const [first] = servers as [EchoServer];
  first.cutConnections();
  await client.until(() => client.states[first.address] !== 'ready');
  await client.ready(2);
  const [back, stayed] = client.snapshot.endpoints;
  expect(back!.warmth).toBeLessThan(0.1);
  expect(stayed!.warmth).toBe(1);
  const explanation = client.balanced.explain().endpoints.map(({ chance }) => chance);
  expect(explanation[0]).toBeLessThan(0.05);
  for (const server of servers) server.cutConnections();
  await client.until(() => Object.values(client.states).every((state) => state !== 'ready'));
  await client.ready(2);
  await Promise.all(Array.from({ length: 20 }, () => client.say()));
  expect(servers.map(({ calls }) => calls)).toEqual([10, 10]);
});
