import * as grpc from '@grpc/grpc-js';
import { type FailOptions, type FleetBackend, type StatusName, statusError } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { answerBy, startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { eventually } from '../../support/time/patience.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { Stopwatch } from '../../support/time/stopwatch.js';

expectNoLeaks();

let servers: FleetBackend[] = [];
let client: BalancedClient;

async function start(count: number, loadBalancing = {}, options = {}): Promise<void> {
  servers = await startBackends(count);
  for (const server of servers) server.slow(20);
  client = await new BalancedClient({ target: staticTarget(servers), loadBalancing, ...options }).ready(count);
}

/** From now on its calls fail, without the delay of `start`. */
function failAtOnce(server: FleetBackend, status: StatusName, options?: FailOptions): void {
  server.recover();
  server.fail(status, options);
}

/** From now on its calls end without a delay, and those fail for which the condition holds. */
function failIf(server: FleetBackend, fails: () => boolean, status: StatusName): void {
  server.recover();
  answerBy(server, () => {
    if (fails()) throw statusError(status);
    return {};
  });
}

const stateOf = (server: FleetBackend): string | undefined => client.states[server.address];

/** Ten callers, each with sequential calls, until the condition holds. */
async function callUntil(enough: () => boolean): Promise<void> {
  const caller = async (): Promise<void> => {
    while (!enough()) await client.say().catch(() => {});
  };
  await Promise.all(Array.from({ length: 10 }, caller));
}

const succeeded = (): number => client.snapshot.endpoints.reduce((sum, endpoint) => sum + endpoint.succeeded, 0);

test('one of five fails every call at once: at most ten calls fail, and it is out of rotation within a second', async () => {
  await start(5);
  const [ill] = servers as [FleetBackend];
  const load = new SteadyLoad(() => client.say(), 300);
  await load.run(100);
  failAtOnce(ill, 'UNAVAILABLE');
  expect(await new Stopwatch().time(() => client.until(() => stateOf(ill) === 'ejected'))).toBeLessThan(1000);
  expect(client.snapshot.endpoints[0]).toMatchObject({ state: 'ejected', reason: '5 failures in a row' });
  const target = load.succeeded + 600;
  await load.until(() => load.succeeded >= target);
  await load.stop();
  expect(load.failures.length).toBeLessThanOrEqual(10);
});

test('if all of five fail half of their calls, none is ejected, and all get their share', async () => {
  await start(5);
  await callUntil(() => succeeded() >= 100);
  const random = seededRandom(1);
  for (const server of servers) failIf(server, () => random() < 0.5, 'UNKNOWN');
  const before = servers.map((server) => server.calls);
  const target = succeeded() + 1000;
  await callUntil(() => succeeded() >= target);
  await client.until(() => Object.values(client.states).every((state) => state === 'ready'));
  const calls = servers.map((server, i) => server.calls - before[i]!);
  expect((5 * Math.max(...calls)) / calls.reduce((sum, each) => sum + each)).toBeLessThan(1.3);
});

test.each([2, 3])('one of %i replicas is ejected, and one probe call readmits it', async (count) => {
  await start(count, { ejection: { baseEjectionTime: 200 }, slowStart: { enabled: false } });
  const [ill] = servers as [FleetBackend];
  failAtOnce(ill, 'INTERNAL');
  const load = new SteadyLoad(() => client.say(), 200);
  await client.until(() => stateOf(ill) === 'ejected');
  // Still failing: the probe fails, and the next ejection is longer.
  const callsBefore = ill.calls;
  await load.until(() => ill.calls > callsBefore);
  expect(stateOf(ill)).toBe('ejected');
  ill.recover();
  await client.until(() => stateOf(ill) === 'ready');
  await load.stop();
  expect(load.failures.every((error) => (error as grpc.ServiceError).code === grpc.status.INTERNAL)).toBe(true);
});

test('neither the last endpoint nor more than half of them are ejected', async () => {
  await start(1);
  failAtOnce(servers[0]!, 'UNAVAILABLE');
  for (let i = 0; i < 20; i++) await client.say().catch(() => {});
  expect(stateOf(servers[0]!)).toBe('ready');
  client.close();
  await servers[0]!.stop();

  await start(4, { policy: 'round_robin' });
  for (const server of servers.slice(0, 3)) failAtOnce(server, 'UNAVAILABLE');
  for (let i = 0; i < 80; i++) await client.say().catch(() => {});
  expect(Object.values(client.states).filter((state) => state === 'ejected')).toHaveLength(2);
});

test('a low success rate ejects too', async () => {
  await start(2, { policy: 'round_robin' });
  let n = 0;
  failIf(servers[0]!, () => n++ % 2 === 0, 'UNKNOWN');
  for (let i = 0; i < 30; i++) await client.say().catch(() => {});
  expect(client.snapshot.endpoints[0]).toMatchObject({
    state: 'ejected',
    reason: expect.stringMatching(/^\d+ % of \d+ calls succeeded within 30 s, less than 80 %$/),
  });
});

test('statuses that are not failures of the endpoint, and calls that the caller cancels, eject no endpoint', async () => {
  await start(2);
  for (const server of servers) failAtOnce(server, 'NOT_FOUND');
  for (let i = 0; i < 40; i++) await client.say().catch(() => {});
  for (const server of servers) server.hang();
  const calls = Array.from({ length: 40 }, () =>
    client.say('x', { onCall: (call) => setTimeout(() => call.cancel(), 50) }).catch(() => {}),
  );
  await Promise.all(calls);
  expect(Object.values(client.states)).toEqual(['ready', 'ready']);
});

test('a retry avoids the endpoint that has just failed', async () => {
  await start(
    2,
    { policy: 'pick_first', retry: { maxAttempts: 2 }, ejection: { enabled: false } },
    { methods: [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }] },
  );
  const [ill, healthy] = servers as [FleetBackend, FleetBackend];
  failAtOnce(ill, 'UNAVAILABLE');
  for (let i = 0; i < 10; i++) await expect(client.say()).resolves.toMatchObject({ server: healthy.address });
  expect(ill.calls).toBe(10);
});

test('default deadlines and retries can be changed while the client runs', async () => {
  const methods = [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }];
  await start(1, { deadline: { timeout: 100 } }, { methods });
  servers[0]!.hang();
  await expect(client.say()).rejects.toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
  client.balanced.configure({ retry: { maxAttempts: 3, initialBackoff: 1, retryableStatusCodes: ['ABORTED'] } });
  // Of the two attempts that fail, none is the one that hangs.
  await eventually(() => servers[0]!.inFlight === 0);
  failAtOnce(servers[0]!, 'ABORTED', { times: 2 });
  const before = servers[0]!.calls;
  await client.say();
  expect(servers[0]!.calls - before).toBe(3);
});

test('calls that fail because their connection dies do not eject the process that comes back', async () => {
  await start(2, { slowStart: { enabled: false }, policy: 'round_robin' });
  const [dies] = servers as [FleetBackend];
  for (const server of servers) server.hang();
  const calls = Promise.allSettled(Array.from({ length: 20 }, () => client.say()));
  await eventually(() => dies.calls === 10);
  await Promise.all([dies.cut(), client.until(() => stateOf(dies) !== 'ready')]);
  await client.ready(2);
  for (const server of servers) server.recover();
  await calls;
  expect(
    client.events.filter(
      (event) => event.type === 'endpoint_state' && event.to === 'ejected' && event.address === dies.address,
    ),
  ).toEqual([]);
});

test('a hedged attempt that loses to another one is not a verdict of a probe', async () => {
  const clock = new FakeClock();
  const hedgingPolicy = { maxAttempts: 2, hedgingDelay: '0.01s', nonFatalStatusCodes: [] };
  const methodConfig = [{ name: [{ service: 'echo.v1.Echo' }], hedgingPolicy }];
  const channelOptions = { 'grpc.service_config': JSON.stringify({ methodConfig }) };
  await start(2, { ejection: { baseEjectionTime: 5000 } }, { clock, channelOptions });
  const [sick] = servers as [FleetBackend];
  failAtOnce(sick, 'UNAVAILABLE');
  await callUntil(() => stateOf(sick) === 'ejected');
  sick.recover();
  sick.hang();
  const before = sick.calls;
  clock.advance(600_000);
  const said = [client.say(), client.say()];
  await eventually(() => sick.calls > before);
  // The hedge of the probe goes to the other endpoint, and wins.
  clock.advance(10);
  await Promise.all(said);
  expect(stateOf(sick)).toBe('ejected');
});

test('trailers that ask to begin a stream again do not excuse the failures of unary calls', async () => {
  await start(5);
  const [ill] = servers as [FleetBackend];
  await callUntil(() => succeeded() >= 100);
  failAtOnce(ill, 'UNAVAILABLE', { trailers: { 'grpc-lb-stream-end': 'drain' } });
  await callUntil(() => stateOf(ill) === 'ejected');
});
