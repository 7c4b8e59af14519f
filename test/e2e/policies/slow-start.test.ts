import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import { BalancedClient, ManualDiscovery } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

let servers: FleetBackend[] = [];
let client: BalancedClient;

test('a newcomer beside three gets its share gradually, without a surge at the end of its window', async () => {
  servers = await startBackends(4);
  const clock = new FakeClock();
  const [newcomer] = servers.slice(3) as [FleetBackend];
  const discovery = new ManualDiscovery(servers.slice(0, 3));
  const loadBalancing = { slowStart: { window: 4000 }, pool: { pingAfter: 0 } };
  client = await new BalancedClient({ target: discovery.target, clock, random: seededRandom(1), loadBalancing }).ready(
    3,
  );
  expect(client.snapshot.endpoints.map(({ warmth }) => warmth)).toEqual([1, 1, 1]);
  // Two at a time, 400 in a second.
  const calls = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 2) {
      await Promise.all([client.say(), client.say()]);
      clock.advance(5);
    }
  };
  await calls(40);
  discovery.set(servers);
  await client.ready(4);

  // The newcomer's share in each half second of its window, and in two after it.
  const shares: number[] = [];
  for (let i = 0; i < 10; i++) {
    const own = newcomer.calls;
    await calls(200);
    shares.push((newcomer.calls - own) / 200);
  }
  // 5 to 6 % of a fair share of 25 % at first; a fair share at last. Three standard deviations of 200 draws at 25 % are 9 %.
  expect(shares[0]).toBeLessThan(0.06);
  expect(shares[2]).toBeLessThan(0.15);
  expect(shares[9]).toBeGreaterThan(0.15);
  expect(Math.max(...shares)).toBeLessThan(0.36);
});

test('endpoints of the first list skip slow start; one that comes back does not; if all are in slow start, shares are equal', async () => {
  servers = await startBackends(3);
  const discovery = new ManualDiscovery(servers);
  client = await new BalancedClient({ target: discovery.target }).ready(3);
  const [first] = servers as [FleetBackend];
  await Promise.all([first.cut(), client.until(() => client.states[first.address] !== 'ready')]);
  await client.ready(3);
  const [back, stayed] = client.snapshot.endpoints;
  expect(back!.warmth).toBeLessThan(0.1);
  expect(stayed!.warmth).toBe(1);
  const [explained] = client.balanced.explain().endpoints;
  expect(explained!.chance).toBeLessThan(0.05);
  expect(explained!.why).toMatch(/^ready: 0 in flight, weight 1, starts slowly: at [5-9] % of its share$/);
  const cut = servers.map((server) => server.cut());
  await client.until(() => Object.values(client.states).every((state) => state !== 'ready'));
  await Promise.all(cut);
  await client.ready(3);
  await Promise.all(Array.from({ length: 30 }, () => client.say()));
  expect(servers.map(({ calls }) => calls)).toEqual([10, 10, 10]);
});

test('the last one of four gets at most 1.5 times its share while the others come back', async () => {
  servers = await startBackends(4);
  const discovery = new ManualDiscovery(servers);
  client = await new BalancedClient({ target: discovery.target, loadBalancing: { policy: 'random' } }).ready(4);
  const [stays, ...others] = servers as [FleetBackend, ...FleetBackend[]];
  const cut = others.map((server) => server.cut());
  await client.until(() => others.every(({ address }) => client.states[address] !== 'ready'));
  await Promise.all(cut);
  await client.ready(4);
  const { endpoints } = client.balanced.explain();
  expect(endpoints[0]!.chance).toBeCloseTo(1.5 / 4, 6);
  expect(endpoints[1]!.why).toContain('starts slowly: at 83 % of its share');
  for (let i = 0; i < 200; i++) await client.say();
  // 75 of 200; five standard deviations are 34. It was 196 when they were considered for 5 % of their shares.
  expect(stays.calls).toBeLessThan(75 + 34);
});
