import { expect, it } from 'vitest';
import { effectiveLoadBalancing } from '../../core/options/load-balancing.js';
import { POLICY_NAMES, type PolicyName } from '../../core/options/policy-config.js';
import { Totals } from '../../core/totals.js';
import type { ClientSnapshot, EndpointSnapshot, PrioritySnapshot } from '../../core/snapshot.js';
import { explainClient } from './explain.js';
import { pendingSource } from '../resolver/source-summary.js';

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
  keepaliveTime: null,
  totals: new Totals().snapshot(),
});

it.each(POLICY_NAMES.filter((name) => name !== 'ring_hash'))(
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
  refusalRate: 0,
  shed: {},
  shedding: false,
  inFlight: 0,
  streams: { open: 0, oldestMs: null, medianMs: null },
  started: 0,
  succeeded: 0,
  failed: 0,
  connections: [{ id: 1, state: 'ready', health: 'serving', inFlight: 0, maxConcurrentStreams: 100, ageMs: 0 }],
});
const priorityOf = (priority: number, share: number): PrioritySnapshot => ({
  priority,
  share,
  endpoints: 1,
  healthy: 1,
  degraded: 0,
  crossZoneShare: null,
});

it('an endpoint is explained with its priority if there are several', () => {
  const why = (priorities: PrioritySnapshot[], endpoints: EndpointSnapshot[]): string[] =>
    explainClient({ ...snapshot('random'), priorities, endpoints }, []).endpoints.map((each) => each.why);
  expect(why([priorityOf(0, 1)], [endpoint('a:1', 0)])).toEqual(['ready: 0 in flight, weight 1']);
  expect(why([priorityOf(0, 0.5), priorityOf(1, 0.5)], [endpoint('a:1', 0), endpoint('b:1', 1)])).toEqual([
    'ready: 0 in flight, weight 1, priority 0',
    'ready: 0 in flight, weight 1, priority 1',
  ]);
  // The first target lists no endpoints.
  expect(why([priorityOf(1, 1)], [endpoint('b:1', 1)])).toEqual(['ready: 0 in flight, weight 1, priority 1']);
});

it('an endpoint in slow start is explained with the fraction of its share that it gets', () => {
  const { endpoints } = explainClient({ ...snapshot('random'), endpoints: [endpoint('a:1', 0), endpoint('b:1', 0)] }, [
    ['a:1', 0.017, 0.05],
    ['b:1', 0.983, 1],
  ]);
  expect(endpoints).toEqual([
    { address: 'a:1', chance: 0.017, why: 'ready: 0 in flight, weight 1, starts slowly: at 5 % of its share' },
    { address: 'b:1', chance: 0.983, why: 'ready: 0 in flight, weight 1' },
  ]);
});

it('an endpoint that refuses calls is explained with its refusal rate, since refusals may count as load', () => {
  const endpoints = [{ ...endpoint('a:1', 0), refusalRate: 0.5 }];
  expect(explainClient({ ...snapshot('random'), endpoints }).endpoints[0]!.why).toBe(
    'ready: 0 in flight, weight 1, 50 % of its recent calls were refused',
  );
});

it('an endpoint with recent failures is explained with its failure rate, since that is why it gets fewer calls', () => {
  const endpoints = [0.104, 0.004].map((failureRate) => ({ ...endpoint('a:1', 0), failureRate }));
  expect(explainClient({ ...snapshot('random'), endpoints }).endpoints.map((each) => each.why)).toEqual([
    'ready: 0 in flight, weight 1, 10 % of its recent calls failed',
    'ready: 0 in flight, weight 1',
  ]);
});

it('with one ready endpoint the rule applies to it', () => {
  expect(explainClient(snapshot('round_robin'), [['a:1', 1, 1]]).rule).toBe('round_robin: the only ready endpoint');
});

it.each([
  ['adaptive', 3, 'among all 3 ready endpoints'],
  ['adaptive', 101, 'among 5 of 101 ready endpoints, chosen at random'],
  ['peak_ewma', 3, 'whose peaks fade in 10000 ms, among all 3 ready endpoints'],
  ['hot_cold', 16, 'among all 16 ready endpoints the fastest of those no busier than 84 %'],
  ['hot_cold', 17, 'among 16 of 17 ready endpoints, chosen at random'],
] as const)('%s over %i endpoints: %s', (name, ready, said) => {
  const chances = Array.from({ length: ready }, (_, i) => [`a:${i}`, 1 / ready, 1] as const);
  expect(explainClient(snapshot(name), chances).rule).toContain(said);
});

it('in panic the rule, the next call and each endpoint say so', () => {
  const suspect = (address: string): EndpointSnapshot => ({
    ...endpoint(address, 0),
    state: 'suspect',
    reason: 'no answer to a PING',
  });
  const explained = (endpoints: EndpointSnapshot[]) =>
    explainClient(
      { ...snapshot('least_request'), state: 'ready', panic: true, endpoints },
      endpoints.map(({ address }) => [address, 1 / endpoints.length, 1]),
    );
  expect(explained([suspect('a:1'), suspect('b:1')])).toEqual({
    client: 'ORDERS',
    rule:
      'least_request: the fewest calls in flight among all 2 connected endpoints; ties at random. ' +
      'Panic: none of 2 connected endpoints is healthy, so calls go to all of them',
    next: 'is sent at once, but may fail: panic, and no endpoint is healthy',
    endpoints: ['a:1', 'b:1'].map((address) => ({
      address,
      chance: 0.5,
      why: 'suspect: no answer to a PING; used nevertheless, because of panic',
    })),
  });
  const busy = explainClient(
    { ...snapshot('least_request'), state: 'ready', panic: true, endpoints: [suspect('a:1'), suspect('b:1')] },
    [
      ['a:1', 0, 1],
      ['b:1', 1, 1],
    ],
  );
  // The first one is used too, when it has fewer calls.
  expect(busy.endpoints.map(({ why }) => why)).toEqual(Array(2).fill(expect.stringContaining('; used nevertheless')));
  expect(explained([suspect('a:1'), suspect('b:1'), endpoint('c:1', 0)])).toMatchObject({
    rule: expect.stringMatching(/Panic: only 1 of 3 connected endpoints are healthy, so calls go to all of them$/),
    next: 'is sent at once, but may fail: panic, and few endpoints are healthy',
    endpoints: [{}, {}, { why: 'ready: 0 in flight, weight 1' }],
  });
});

it('degraded endpoints that get calls are not called ready', () => {
  const endpoints = [endpoint('a:1', 0), { ...endpoint('b:1', 0), state: 'degraded' as const }];
  const { rule } = explainClient({ ...snapshot('random'), endpoints }, [
    ['a:1', 0.5, 1],
    ['b:1', 0.5, 1],
  ]);
  expect(rule).toBe('random: one of 2 ready or degraded endpoints, in proportion to their weights');
});
