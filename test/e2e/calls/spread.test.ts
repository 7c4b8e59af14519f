import * as grpc from '@grpc/grpc-js';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { deferred, staticTarget } from '../../support/echo/cluster.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';
import { pretendedTls } from '../../support/peers/pretended-tls.js';

expectNoLeaks();

let servers: FleetBackend[] = [];
let client: BalancedClient;

async function start(
  count: number,
  loadBalancing = {},
  credentials = grpc.credentials.createInsecure(),
): Promise<FakeClock> {
  const clock = new FakeClock();
  servers = await startBackends(count);
  client = await new BalancedClient({ target: staticTarget(servers), loadBalancing, clock, credentials }).ready(count);
  return clock;
}

const calls = (): number[] => servers.map((server) => server.calls);

test('a hundred calls in one tick over four idle backends: 25 each', async () => {
  await start(4);
  for (const server of servers) server.hang();
  const all = Promise.all(Array.from({ length: 100 }, () => client.say()));
  await eventually(() => calls().reduce((sum, n) => sum + n, 0) === 100);
  expect(calls()).toEqual([25, 25, 25, 25]);
  expect(client.snapshot.endpoints.map(({ inFlight }) => inFlight)).toEqual([25, 25, 25, 25]);
  for (const server of servers) server.recover();
  await all;
  expect(client.snapshot.inFlight).toBe(0);
});

test('two services of one client share one channel, its connections and its counters', async () => {
  await start(2);
  await Promise.all(Array.from({ length: 10 }, () => client.say()));
  await new Promise((resolve, reject) => {
    const look = client.mirror as never as {
      Look(line: object, done: (error: Error | null, line: unknown) => void): void;
    };
    look.Look({ text: 'x' }, (error, line) => (error ? reject(error) : resolve(line)));
  });
  expect(client.snapshot.endpoints.reduce((sum, { started }) => sum + started, 0)).toBe(11);
  expect(servers.map(({ accepted }) => accepted)).toEqual([1, 1]);
});

test('after ten thousand calls, a tenth of them cancelled before they start, nothing counts as in flight', async () => {
  await start(4);
  let cancelled = 0;
  let answered = 0;
  for (let round = 0; round < 100; round++) {
    const batch = Array.from({ length: 100 }, (_, i) => {
      // Cancelled at every point before the start: at once, and some promise turns later, around the pick.
      const onCall = (call: { cancel(): void }): void => {
        if (i % 10 !== 0) return;
        let turns = Math.floor(round / 10);
        const cancelSoon = (): void => (turns-- > 0 ? queueMicrotask(cancelSoon) : call.cancel());
        cancelSoon();
      };
      return client.say('x', { onCall }).then(
        () => answered++,
        () => cancelled++,
      );
    });
    await Promise.all(batch);
  }
  expect({ answered, cancelled }).toEqual({ answered: 9000, cancelled: 1000 });
  expect(client.snapshot.inFlight).toBe(0);
});

test('a call that waits for credentials has no endpoint yet, and leaves nothing when it is cancelled', async () => {
  await start(1, {}, pretendedTls());
  const asked = deferred();
  const credentials = grpc.credentials.createFromMetadataGenerator(() => asked.resolve());
  let call: grpc.ClientUnaryCall | undefined;
  const said = client.say('x', { credentials, onCall: (started) => (call = started) });
  await asked.promise;
  expect(client.snapshot).toMatchObject({ inFlight: 0, pending: 1 });
  call!.cancel();
  await expect(said).rejects.toMatchObject({ code: grpc.status.CANCELLED });
  expect(client.snapshot).toMatchObject({ inFlight: 0, pending: 0 });
  expect(client.snapshot.endpoints[0]).toMatchObject({ started: 0 });
});

test.each(['least_request', 'round_robin', 'random'] as const)('%s sends sequential calls to all', async (policy) => {
  await start(3, { policy });
  for (let i = 0; i < 60; i++) await client.say();
  // Of 60 draws among three, fewer than 4 for one of them has a chance below 1 in 10^6.
  expect(Math.min(...calls())).toBeGreaterThanOrEqual(4);
});

test('round_robin sends calls to the backends in turn', async () => {
  await start(3, { policy: 'round_robin' });
  for (let i = 0; i < 60; i++) await client.say();
  expect(calls()).toEqual([20, 20, 20]);
});

test('pick_first sends all calls to the first, and goes back to it when it returns', async () => {
  await start(2, { policy: 'pick_first', slowStart: { enabled: false } });
  const [first] = servers as [FleetBackend, FleetBackend];
  await client.say();
  await first.stop();
  await client.until(() => client.states[first.address] !== 'ready');
  await client.say();
  await first.restart();
  await client.ready(2);
  await client.say();
  expect(calls()).toEqual([2, 1]);
});

test('weights share the load in proportion', async () => {
  servers = await startBackends(2);
  const [heavy, light] = servers as [FleetBackend, FleetBackend];
  client = await new BalancedClient({ target: `static:///${heavy.address};weight=3,${light.address}` }).ready(2);
  for (const server of servers) server.hang();
  const all = Promise.all(Array.from({ length: 80 }, () => client.say()));
  await eventually(() => calls().reduce((sum, n) => sum + n, 0) === 80);
  expect(calls()).toEqual([60, 20]);
  for (const server of servers) server.recover();
  await all;
});
