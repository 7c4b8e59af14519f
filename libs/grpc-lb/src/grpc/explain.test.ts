import { expect, it } from 'vitest';
import { effectiveLoadBalancing } from '../core/options/load-balancing.js';
import type { PolicyName } from '../core/options/policy-config.js';
import type { ClientSnapshot, EndpointSnapshot, PrioritySnapshot } from '../core/snapshot.js';
import { explainClient } from './explain.js';
import { pendingSource } from './source-summary.js';

const snapshot = (name: PolicyName): ClientSnapshot => ({
  client: 'ORDERS',
  target: 'static:///a:1',
  state: 'connecting',
  loadBalancing: effectiveLoadBalancing({ policy: name }),
  source: { ...pendingSource('static:///a:1'), state: 'ok', lastUpdate: 0 },
  inFlight: 0,
  pending: 0,
  panic: false,
  endpoints: [],
  sources: [],
  priorities: [],
  zone: null,
});

it.each(['least_request', 'round_robin', 'random', 'pick_first'] as const)(
  '%s: without a ready endpoint the rule says so, and does not count to none',
  (name) => expect(explainClient(snapshot(name), []).rule).toBe(`${name}: no endpoint is ready`),
);

const endpoint = (address: string, priority: number): EndpointSnapshot => ({
  address,
  state: 'ready',
  since: 0,
  reason: null,
  weight: 1,
  priority,
  locality: null,
  warmth: 1,
  failureRate: 0,
  inFlight: 0,
  started: 0,
  succeeded: 0,
  failed: 0,
  connections: [{ id: 1, state: 'ready', health: 'serving', inFlight: 0, maxConcurrentStreams: 100, ageMs: 0 }],
});
const level = (priority: number, share: number): PrioritySnapshot => ({
  priority,
  share,
  endpoints: 1,
  well: 1,
  crossZoneShare: null,
});

it('an endpoint is told with its priority where there are several', () => {
  const why = (priorities: PrioritySnapshot[], endpoints: EndpointSnapshot[]): string[] =>
    explainClient({ ...snapshot('random'), priorities, endpoints }, []).endpoints.map((each) => each.why);
  expect(why([level(0, 1)], [endpoint('a:1', 0)])).toEqual(['ready: 0 in flight, weight 1']);
  expect(why([level(0, 0.5), level(1, 0.5)], [endpoint('a:1', 0), endpoint('b:1', 1)])).toEqual([
    'ready: 0 in flight, weight 1, priority 0',
    'ready: 0 in flight, weight 1, priority 1',
  ]);
  // The first target names nobody.
  expect(why([level(1, 1)], [endpoint('b:1', 1)])).toEqual(['ready: 0 in flight, weight 1, priority 1']);
});

it('with one it is in force', () => {
  expect(explainClient(snapshot('round_robin'), [['a:1', 1]]).rule).toContain('1 ready endpoints');
});
