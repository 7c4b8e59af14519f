import * as grpc from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type { LoadBalancingOptions } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { deferred, type EchoServer, type Line, startServers, staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const CALLS = 200;
const methods = [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }];
const POLICIES = [
  'pick_first',
  { name: 'ring_hash', by: 'x-key' },
  'round_robin',
  'random',
  'least_request',
  'peak_ewma',
  'adaptive',
  'hot_cold',
  'weighted_round_robin',
] as const;
const named = POLICIES.map((policy) => [typeof policy === 'string' ? policy : policy.name, policy] as const);

/** A call with a key of its own, so that the calls of ring_hash begin everywhere. */
function say(client: BalancedClient, text: string): Promise<Line> {
  return new Promise((resolve, reject) => {
    const metadata = new grpc.Metadata();
    metadata.set('x-key', text);
    client.echo.Say({ text }, metadata, {}, (error, line) => (error ? reject(error) : resolve(line!)));
  });
}

/** Where the attempts of each call have been, in their order. */
function recordVisits(
  servers: readonly EchoServer[],
  then: (line: Line, server: EchoServer) => unknown,
): Map<string, string[]> {
  const visits = new Map<string, string[]>();
  for (const each of servers) {
    each.behaviour.say = (line, server) => {
      visits.set(line.text, [...(visits.get(line.text) ?? []), server.address]);
      return then(line, server) as Partial<Line>;
    };
  }
  return visits;
}

const unavailable = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('down'), { code: grpc.status.UNAVAILABLE, details: 'down' }));

async function start(servers: readonly EchoServer[], options: LoadBalancingOptions): Promise<BalancedClient> {
  const loadBalancing = { ejection: { enabled: false }, health: { enabled: false }, ...options };
  return new BalancedClient({ target: staticTarget(servers), methods, loadBalancing }).ready(servers.length);
}

test.each(named)(
  '%s: with two of four endpoints failing and three attempts, each call succeeds, and none goes twice to one',
  async (_, policy) => {
    const servers = await startServers(4);
    const failing = new Set(servers.slice(0, 2));
    const visits = recordVisits(servers, (_line, server) => (failing.has(server) ? unavailable() : {}));
    const retry = { maxAttempts: 3, initialBackoff: 1, maxBackoff: 1, throttling: false, budget: false } as const;
    const client = await start(servers, { policy, retry });
    for (let i = 0; i < CALLS; i++) await say(client, `call ${i}`);
    expect(visits.size).toBe(CALLS);
    for (const places of visits.values()) expect(new Set(places).size).toBe(places.length);
    // The other policies may learn at once which endpoints fail.
    const attempts = policy === 'pick_first' ? [...visits.values()].map(({ length }) => length) : [];
    expect(attempts.every((each) => each === 3)).toBe(true);
  },
);

test('if there are more attempts than endpoints, a retry goes again to one of them', async () => {
  const servers = await startServers(2);
  const visits = recordVisits(servers, unavailable);
  const retry = { maxAttempts: 5, initialBackoff: 1, maxBackoff: 1, throttling: false, budget: false } as const;
  const client = await start(servers, { policy: 'round_robin', retry });
  await expect(say(client, 'x')).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE, details: 'down' });
  const places = visits.get('x')!;
  expect(places).toHaveLength(5);
  expect(new Set(places.slice(0, 2)).size).toBe(2);
});

test.each(named)('%s: hedges never go to the same endpoint', async (_, policy) => {
  const servers = await startServers(4);
  const answer = deferred();
  const visits = recordVisits(servers, () => answer.promise.then(() => ({})));
  const hedge = { maxAttempts: 3, delay: 0, methods: { Say: true } };
  const client = await start(servers, { policy, hedge, retry: { throttling: false, budget: false } });
  const calls = Array.from({ length: 24 }, (_call, i) => say(client, `call ${i}`));
  await eventually(() => [...visits.values()].flat().length === 3 * calls.length);
  answer.resolve();
  await Promise.all(calls);
  for (const places of visits.values()) expect(new Set(places).size).toBe(3);
});

test('there are no more hedges than endpoints', async () => {
  const servers = await startServers(2);
  const answer = deferred();
  const visits = recordVisits(servers, () => answer.promise.then(() => ({})));
  const hedge = { maxAttempts: 5, delay: 0, methods: { Say: true } };
  const client = await start(servers, { hedge, retry: { throttling: false, budget: false } });
  const call = say(client, 'x');
  await eventually(() => visits.get('x')?.length === 2);
  // All hedges of a delay of 0 are placed in the turn of the call.
  answer.resolve();
  await call;
  expect(new Set(visits.get('x')).size).toBe(2);
  expect(visits.get('x')).toHaveLength(2);
});
