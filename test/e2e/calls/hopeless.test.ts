import type { ServerHttp2Session } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackend, startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { answer, type RawServer, startRawServers } from '../../support/peers/raw-server.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const targetOf = (servers: readonly RawServer[]): string =>
  `static:///${servers.map(({ address }) => address).join(',')}`;

const WAYS: Record<string, (server: RawServer) => void> = {
  'accepts connections and closes them': (server) => {
    server.onConnection = (session) => server.cut(session);
  },
  'sends GOAWAY at once': (server) => {
    server.onConnection = (session) => session.close();
  },
  'closes the connection at the first call': (server) => {
    server.onCall = ({ session }) => server.cut(session as ServerHttp2Session);
  },
};

const ways = Object.entries(WAYS).flatMap(([name, behave]) =>
  [1, 3].flatMap((count) => [1, 3].map((size) => [name, count, size, behave] as const)),
);

test.each(ways)(
  'if every backend %s (%d of them, pool.size %d), all calls fail with UNAVAILABLE and the reason, and wait for no timer',
  async (_, count, size, behave) => {
    const servers = await startRawServers(count);
    servers.forEach(behave);
    const clock = new FakeClock();
    const client = new BalancedClient({ target: targetOf(servers), clock, loadBalancing: { pool: { size } } });
    const isHopeful = (): boolean => client.snapshot.state !== 'transient_failure';
    // A round may end one connection alone: that of the backend which was ready first.
    for (let round = 0; round < 3 || (isHopeful() && round < 3 * count * size); round++) {
      // In the first round there is no connection yet. None of the calls has a deadline.
      const ends = await Promise.allSettled(Array.from({ length: 100 }, () => client.say()));
      for (const end of ends) {
        expect(end).toMatchObject({ status: 'rejected', reason: { code: grpc.status.UNAVAILABLE } });
        const { details } = (end as PromiseRejectedResult).reason as grpc.ServiceError;
        expect(details).toMatch(
          /^Connection dropped,remote_addr=127\.0\.0\.1:\d+$|^Stream refused by server$|ready: \d connections in a row were lost within 10 s, before any call was answered/,
        );
      }
    }
    expect(clock.now()).toBe(0);
    expect(client.snapshot).toMatchObject({ state: 'transient_failure', pending: 0, inFlight: 0 });
    // The second loss shows it; more attempts come after a backoff, or when another backend is connected.
    expect(Math.max(...servers.map(({ accepted }) => accepted))).toBeLessThanOrEqual(3 * size);
  },
);

test.each(ways)(
  'if every backend %s (%d of them, pool.size %d), calls that wait for ready wait, and are answered when the backends behave',
  async (_, count, size, behave) => {
    const servers = await startRawServers(count);
    servers.forEach(behave);
    const clock = new FakeClock();
    const client = new BalancedClient({
      target: targetOf(servers),
      clock,
      loadBalancing: { health: { enabled: false }, pool: { size } },
    });
    while (client.snapshot.state !== 'transient_failure')
      await Promise.allSettled(Array.from({ length: 100 }, () => client.say()));
    const calls = Array.from({ length: 20 }, () => client.say('x', { waitForReady: true }));
    await eventually(() => client.snapshot.pending === 20);
    for (const server of servers) {
      server.onConnection = () => {};
      server.onCall = (stream) => answer(stream);
    }
    clock.advance(2000);
    await Promise.all(calls);
    expect(client.snapshot).toMatchObject({ pending: 0, inFlight: 0 });
  },
);

test('calls do not fail while one of several backends restarts', async () => {
  const servers = await startBackends(3);
  const client = await new BalancedClient({ target: staticTarget(servers) }).ready(3);
  const load = new SteadyLoad(() => client.say(), 500);
  for (const server of servers) {
    await load.run(50);
    await server.drain();
    await load.run(50);
    await server.restart();
    await client.ready(3);
  }
  await load.stop();
  expect(load.failures).toEqual([]);
});

test('calls do not fail when the only connection is lost after it has served, or once before that', async () => {
  const server = await startBackend();
  const clock = new FakeClock();
  const client = new BalancedClient({ target: staticTarget([server]), clock });
  const lost = async (): Promise<void> => {
    const losses = client.events.filter(({ type }) => type === 'connection_closed').length;
    await server.cut();
    await client.until(() => client.events.filter(({ type }) => type === 'connection_closed').length > losses);
  };
  await client.ready(1);
  // It has served nothing yet.
  await lost();
  await Promise.all(Array.from({ length: 20 }, () => client.say()));
  for (let round = 0; round < 5; round++) {
    await lost();
    await Promise.all(Array.from({ length: 20 }, () => client.say()));
  }
  // Neither has waited for a backoff.
  expect(clock.now()).toBe(0);
  expect(client.events.some((event) => event.type === 'client_state' && event.to === 'transient_failure')).toBe(false);
});
