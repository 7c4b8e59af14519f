import * as grpc from '@grpc/grpc-js';
import type { Fleet } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import type { LoadBalancingOptions } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { echoFleet } from '../../support/echo/backends.js';
import type { Line } from '../../support/echo/cluster.js';
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
function visits(fleet: Fleet): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { backend, request } of fleet.calls()) {
    const { text } = request as Line;
    found.set(text, [...(found.get(text) ?? []), backend]);
  }
  return found;
}

async function start(fleet: Fleet, options: LoadBalancingOptions): Promise<BalancedClient> {
  const loadBalancing = { ejection: { enabled: false }, health: { enabled: false }, ...options };
  return new BalancedClient({ target: fleet.target, methods, loadBalancing }).ready(fleet.size);
}

test.each(named)(
  '%s: with two of four endpoints failing and three attempts, each call succeeds, and none goes twice to one',
  async (_, policy) => {
    const fleet = await echoFleet(4);
    fleet[0].fail('UNAVAILABLE');
    fleet[1].fail('UNAVAILABLE');
    const retry = { maxAttempts: 3, initialBackoff: 1, maxBackoff: 1, throttling: false, budget: false } as const;
    const client = await start(fleet, { policy, retry });
    for (let i = 0; i < CALLS; i++) await say(client, `call ${i}`);
    expect(visits(fleet).size).toBe(CALLS);
    for (const places of visits(fleet).values()) expect(new Set(places).size).toBe(places.length);
    // The other policies may learn at once which endpoints fail.
    const attempts = policy === 'pick_first' ? [...visits(fleet).values()].map(({ length }) => length) : [];
    expect(attempts.every((each) => each === 3)).toBe(true);
  },
);

test('if there are more attempts than endpoints, a retry goes again to one of them', async () => {
  const fleet = await echoFleet(2);
  for (const backend of fleet) backend.fail('UNAVAILABLE', { details: 'down' });
  const retry = { maxAttempts: 5, initialBackoff: 1, maxBackoff: 1, throttling: false, budget: false } as const;
  const client = await start(fleet, { policy: 'round_robin', retry });
  await expect(say(client, 'x')).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE, details: 'down' });
  const places = visits(fleet).get('x')!;
  expect(places).toHaveLength(5);
  expect(new Set(places.slice(0, 2)).size).toBe(2);
});

test.each(named)('%s: hedges never go to the same endpoint', async (_, policy) => {
  const fleet = await echoFleet(4);
  for (const backend of fleet) backend.hang();
  const hedge = { maxAttempts: 3, delay: 0, methods: { Say: true } };
  const client = await start(fleet, { policy, hedge, retry: { throttling: false, budget: false } });
  const calls = Array.from({ length: 24 }, (_call, i) => say(client, `call ${i}`));
  await eventually(() => fleet.calls().length === 3 * calls.length);
  for (const backend of fleet) backend.recover();
  await Promise.all(calls);
  for (const places of visits(fleet).values()) expect(new Set(places).size).toBe(3);
});

test('there are no more hedges than endpoints', async () => {
  const fleet = await echoFleet(2);
  for (const backend of fleet) backend.hang();
  const hedge = { maxAttempts: 5, delay: 0, methods: { Say: true } };
  const client = await start(fleet, { hedge, retry: { throttling: false, budget: false } });
  const call = say(client, 'x');
  await eventually(() => visits(fleet).get('x')?.length === 2);
  // All hedges of a delay of 0 are placed in the turn of the call.
  for (const backend of fleet) backend.recover();
  await call;
  expect(new Set(visits(fleet).get('x')).size).toBe(2);
  expect(visits(fleet).get('x')).toHaveLength(2);
});
