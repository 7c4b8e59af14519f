import * as grpc from '@grpc/grpc-js';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { deferred, type EchoServer, startServers, staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { eventually } from '../../support/time/patience.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { Stopwatch } from '../../support/time/stopwatch.js';

expectNoLeaks();

let servers: EchoServer[] = [];
let client: BalancedClient;

afterEach(async () => {
  client.close();
  await Promise.all(servers.map((server) => server.kill()));
});

async function start(count: number, loadBalancing = {}, options = {}): Promise<void> {
  servers = await startServers(count);
  for (const server of servers) {
    server.behaviour.say = async () => {
      await delay(20);
      return {};
    };
  }
  client = await new BalancedClient({ target: staticTarget(servers), loadBalancing, ...options }).ready(count);
}

const fails =
  (code: grpc.status): (() => Promise<never>) =>
  () =>
    Promise.reject(Object.assign(new Error('not today'), { code }));
const stateOf = (server: EchoServer): string | undefined => client.states[server.address];

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
  const [ill] = servers as [EchoServer];
  const load = new SteadyLoad(() => client.say(), 300);
  await load.run(100);
  ill.behaviour.say = fails(grpc.status.UNAVAILABLE);
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
  for (const server of servers) server.behaviour.say = () => (random() < 0.5 ? fails(grpc.status.UNKNOWN)() : {});
  const before = servers.map((server) => server.calls);
  const target = succeeded() + 1000;
  await callUntil(() => succeeded() >= target);
  await client.until(() => Object.values(client.states).every((state) => state === 'ready'));
  const calls = servers.map((server, i) => server.calls - before[i]!);
  expect((5 * Math.max(...calls)) / calls.reduce((sum, each) => sum + each)).toBeLessThan(1.3);
});

test.each([2, 3])('one of %i replicas is ejected, and one probe call readmits it', async (count) => {
  await start(count, { ejection: { baseEjectionTime: 200 }, slowStart: { enabled: false } });
  const [ill] = servers as [EchoServer];
  ill.behaviour.say = fails(grpc.status.INTERNAL);
  const load = new SteadyLoad(() => client.say(), 200);
  await client.until(() => stateOf(ill) === 'ejected');
  // Still failing: the probe fails, and the next ejection is longer.
  const callsBefore = ill.calls;
  await load.until(() => ill.calls > callsBefore);
  expect(stateOf(ill)).toBe('ejected');
  ill.behaviour.say = () => ({});
  await client.until(() => stateOf(ill) === 'ready');
  await load.stop();
  expect(load.failures.every((error) => (error as grpc.ServiceError).code === grpc.status.INTERNAL)).toBe(true);
});

test('neither the last endpoint nor more than half of them are ejected', async () => {
  await start(1);
  servers[0]!.behaviour.say = fails(grpc.status.UNAVAILABLE);
  for (let i = 0; i < 20; i++) await client.say().catch(() => {});
  expect(stateOf(servers[0]!)).toBe('ready');
  client.close();
  await servers[0]!.kill();

  await start(4, { policy: 'round_robin' });
  for (const server of servers.slice(0, 3)) server.behaviour.say = fails(grpc.status.UNAVAILABLE);
  for (let i = 0; i < 80; i++) await client.say().catch(() => {});
  expect(Object.values(client.states).filter((state) => state === 'ejected')).toHaveLength(2);
});

test('a low success rate ejects too', async () => {
  await start(2, { policy: 'round_robin' });
  let n = 0;
  servers[0]!.behaviour.say = () => (n++ % 2 === 0 ? fails(grpc.status.UNKNOWN)() : {});
  for (let i = 0; i < 30; i++) await client.say().catch(() => {});
  expect(client.snapshot.endpoints[0]).toMatchObject({
    state: 'ejected',
    reason: expect.stringMatching(/^\d+ % of \d+ calls succeeded within 30 s, less than 80 %$/),
  });
});

test('statuses that are not failures of the endpoint, and calls that the caller cancels, eject no endpoint', async () => {
  await start(2);
  for (const server of servers) server.behaviour.say = fails(grpc.status.NOT_FOUND);
  for (let i = 0; i < 40; i++) await client.say().catch(() => {});
  for (const server of servers) server.behaviour.say = () => new Promise(() => {});
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
  const [ill, healthy] = servers as [EchoServer, EchoServer];
  ill.behaviour.say = fails(grpc.status.UNAVAILABLE);
  for (let i = 0; i < 10; i++) await expect(client.say()).resolves.toMatchObject({ server: healthy.address });
  expect(ill.calls).toBe(10);
});

test('default deadlines and retries can be changed while the client runs', async () => {
  const methods = [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }];
  await start(1, { deadline: { timeout: 100 } }, { methods });
  servers[0]!.behaviour.say = () => new Promise(() => {});
  await expect(client.say()).rejects.toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
  client.balanced.configure({ retry: { maxAttempts: 3, initialBackoff: 1, retryableStatusCodes: ['ABORTED'] } });
  let attempts = 0;
  servers[0]!.behaviour.say = () => (++attempts < 3 ? fails(grpc.status.ABORTED)() : {});
  await client.say();
  expect(attempts).toBe(3);
});

test('calls that fail because their connection dies do not eject the process that comes back', async () => {
  await start(2, { slowStart: { enabled: false }, policy: 'round_robin' });
  const [dies] = servers as [EchoServer];
  const answer = deferred();
  for (const server of servers) server.behaviour.say = () => answer.promise.then(() => ({}));
  const calls = Promise.allSettled(Array.from({ length: 20 }, () => client.say()));
  await eventually(() => dies.calls === 10);
  dies.cutConnections();
  await client.until(() => stateOf(dies) !== 'ready');
  await client.ready(2);
  answer.resolve();
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
  const [sick] = servers as [EchoServer];
  sick.behaviour.say = fails(grpc.status.UNAVAILABLE);
  await callUntil(() => stateOf(sick) === 'ejected');
  const probed = deferred();
  sick.behaviour.say = () => {
    probed.resolve();
    return new Promise(() => {});
  };
  clock.advance(600_000);
  const said = [client.say(), client.say()];
  await probed.promise;
  // The hedge of the probe goes to the other endpoint, and wins.
  clock.advance(10);
  await Promise.all(said);
  expect(stateOf(sick)).toBe('ejected');
});

test('trailers that ask to begin a stream again do not excuse the failures of unary calls', async () => {
  await start(5);
  const [ill] = servers as [EchoServer];
  const metadata = grpc.Metadata.fromHttp2Headers({ 'grpc-lb-stream-end': 'drain' });
  await callUntil(() => succeeded() >= 100);
  ill.behaviour.say = () =>
    Promise.reject(Object.assign(new Error('not today'), { code: grpc.status.UNAVAILABLE, metadata }));
  await callUntil(() => stateOf(ill) === 'ejected');
});
