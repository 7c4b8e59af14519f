import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { FakeClock } from '../../support/time/fake-clock.js';

expectNoLeaks();

/** That of grpc-js, in real time: no attempt of its own falls into the test. */
const BACKOFF = 20_000;
/** The longest time between two attempts while endpoints return, by the clock of the client. */
const INTERVAL = BACKOFF * 0.5 * 1.2;
/** The longest time by which attempts are spread. */
const SPREAD = 100;

test('endpoints that return from an outage of all are dialed until they are back, and warm up for a quarter of the time for which the first has been back', async () => {
  const servers = await startBackends(3);
  const clock = new FakeClock();
  const client = await new BalancedClient({
    target: staticTarget(servers),
    clock,
    loadBalancing: { slowStart: { window: 60_000 }, pool: { pingAfter: 0 } },
    channelOptions: {
      'grpc.initial_reconnect_backoff_ms': BACKOFF,
      'grpc.max_reconnect_backoff_ms': BACKOFF,
    },
  }).ready(3);
  await Promise.all(servers.map((server) => server.stop()));
  await client.until(() => Object.values(client.states).every((state) => state === 'transient_failure'));
  /** Until as many attempts have failed: while one runs, its timeout must not pass. */
  const failures = (more: number): Promise<void> => {
    const enough = client.snapshot.totals.connectionAttemptsFailed + more;
    return expect.poll(() => client.snapshot.totals.connectionAttemptsFailed).toBe(enough);
  };
  clock.advance(20_000);

  await servers[0]!.restart();
  let failed = failures(2);
  await expect(client.say()).rejects.toMatchObject({ code: status.UNAVAILABLE });
  clock.advance(SPREAD);
  await client.ready(1);
  await failed;
  failed = failures(2);
  clock.advance(SPREAD);
  await failed;
  for (const count of [2, 3]) {
    await servers[count - 1]!.restart();
    failed = failures(3 - count);
    clock.advance(INTERVAL);
    clock.advance(SPREAD);
    await client.ready(count);
    await failed;
  }
  const warmth = (): number[] => client.snapshot.endpoints.map((endpoint) => endpoint.warmth);
  expect(warmth()[0]).toBe(1);
  expect(warmth()[2]).toBeLessThan(0.1);
  const sinceFirst = 2 * (INTERVAL + SPREAD) + SPREAD;
  clock.advance(sinceFirst / 4 - 100);
  expect(warmth()[2]).toBeLessThan(1);
  clock.advance(100);
  expect(warmth()).toEqual([1, 1, 1]);
});

test('a connection that is lost and back at once is no outage: its endpoint warms up as ever', async () => {
  const [server] = await startBackends(1);
  const clock = new FakeClock();
  const client = await new BalancedClient({ target: staticTarget([server!]), clock }).ready(1);
  await client.say();
  await server!.cut();
  await client.until(() => client.events.some(({ type }) => type === 'connection_closed'));
  await client.ready(1);
  clock.advance(5000);
  expect(client.snapshot.endpoints[0]!.warmth).toBeCloseTo(0.25, 5);
});
