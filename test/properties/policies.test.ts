import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PolicyConfig } from '../../libs/grpc-lb/src/core/options/policy-config.js';
import { createPolicy } from '../../libs/grpc-lb/src/core/policy/create-policy.js';
import { LeastRequest } from '../../libs/grpc-lb/src/core/policy/least-request.js';
import { PickFirst } from '../../libs/grpc-lb/src/core/policy/pick-first.js';
import { UNKNOWN_CALL } from '../../libs/grpc-lb/src/core/policy/policy.js';
import { seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import { FakeClock } from '../support/time/fake-clock.js';
import { check } from './check.js';
import { fill, type Host, hosts } from './hosts.js';
import { expectShares, tally } from './statistics.js';

const host: fc.Arbitrary<Host> = fc.record({
  key: fc.uuid(),
  // Few different loads, so that there are ties.
  inFlight: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 1_000_000 })),
  streams: fc.constantFrom(0, 0, 1, 100),
  weight: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4_294_967_295 })),
  failureFactor: fc.constantFrom(1, 1, 1, 2, 2500),
});
const list = fc.array(host, { minLength: 1, maxLength: 8 });
const leastRequest: fc.Arbitrary<PolicyConfig> = fc.record(
  {
    name: fc.constant('least_request' as const),
    choiceCount: fc.integer({ min: 2, max: 9 }),
    activeRequestBias: fc.constantFrom(0, 0.5, 1, 2, 10),
  },
  { requiredKeys: ['name'] },
);
const ringHash: fc.Arbitrary<PolicyConfig> = fc.record(
  {
    name: fc.constant('ring_hash' as const),
    by: fc.constant('x-id'),
    boundedLoad: fc.double({ min: 1.01, max: 10, noNaN: true }),
    ring: fc.constantFrom('steady' as const, 'grpc' as const),
  },
  { requiredKeys: ['name', 'by'] },
);
/** Their first pick is a draw from the chances; later ones too, as long as they learn nothing. */
const byLoad: fc.Arbitrary<PolicyConfig> = fc.oneof(
  { weight: 3, arbitrary: leastRequest },
  { weight: 1, arbitrary: fc.constant<PolicyConfig>({ name: 'adaptive' }) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 100, max: 600_000 })
      .map<PolicyConfig>((decayTime) => ({ name: 'peak_ewma', decayTime })),
  },
);
const config: fc.Arbitrary<PolicyConfig> = fc.oneof(
  { weight: 5, arbitrary: byLoad },
  {
    weight: 1,
    arbitrary: fc
      .double({ min: 0, max: 1, noNaN: true })
      .map<PolicyConfig>((hotQuantile) => ({ name: 'hot_cold', hotQuantile })),
  },
  { weight: 1, arbitrary: fc.constant<PolicyConfig>({ name: 'round_robin' }) },
  { weight: 1, arbitrary: fc.constant<PolicyConfig>({ name: 'random' }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('reported' as const, 'fixed' as const)
      .map<PolicyConfig>((weights) => ({ name: 'weighted_round_robin', weights })),
  },
  { weight: 2, arbitrary: ringHash },
  {
    weight: 1,
    arbitrary: fc.boolean().map<PolicyConfig>((shuffleAddressList) => ({ name: 'pick_first', shuffleAddressList })),
  },
);
const seed = fc.nat();

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

describe('every policy', () => {
  test('picks an endpoint of the list, however lists and loads change between the picks', () => {
    const membership = fc.array(fc.tuple(list, fc.nat({ max: 12 })), { minLength: 1, maxLength: 8 });
    check(
      fc.property(config, membership, seed, (policyConfig, lists, seeded) => {
        const policy = createPolicy(policyConfig, seededRandom(seeded), new FakeClock());
        for (const [candidates, calls] of lists) {
          for (const index of fill(policy, candidates, calls)) expect(candidates).toHaveProperty([index]);
        }
      }),
    );
  });

  test('picks an endpoint of a list of any length', () => {
    check(
      fc.property(config, fc.integer({ min: 1, max: 2000 }), seed, (policyConfig, n, seeded) => {
        const candidates = hosts(Array.from({ length: n }, (_, i) => i % 3));
        const policy = createPolicy(policyConfig, seededRandom(seeded), new FakeClock());
        const picked = fill(policy, candidates, 3);
        expect(picked.every((index) => Number.isInteger(index) && index >= 0 && index < n)).toBe(true);
      }),
      100,
    );
  });

  test('gives chances that are not negative and add up to 1', () => {
    check(
      fc.property(config, list, seed, (policyConfig, candidates, seeded) => {
        const chances = createPolicy(policyConfig, seededRandom(seeded), new FakeClock()).chances(candidates);
        expect(chances).toHaveLength(candidates.length);
        expect(Math.min(...chances)).toBeGreaterThanOrEqual(0);
        expect(sum(chances)).toBeCloseTo(1, 9);
      }),
    );
  });

  test('never picks an endpoint with chance 0, and always one with chance 1, even if chances are read in between', () => {
    check(
      fc.property(config, fc.array(list, { minLength: 1, maxLength: 4 }), seed, (policyConfig, lists, seeded) => {
        const policy = createPolicy(policyConfig, seededRandom(seeded), new FakeClock());
        for (const candidates of [...lists, ...lists]) {
          const chances = policy.chances(candidates);
          const index = policy.pick(candidates, UNKNOWN_CALL);
          expect(chances[index]).toBeGreaterThan(0);
          candidates[index]!.inFlight++;
        }
      }),
    );
  });

  test('picks in proportion to its chances in the long run', () => {
    const memoryless: fc.Arbitrary<PolicyConfig> = fc.oneof(
      { weight: 4, arbitrary: byLoad },
      { weight: 1, arbitrary: fc.constant<PolicyConfig>({ name: 'random' }) },
    );
    check(
      fc.property(memoryless, list, seed, (policyConfig, candidates, seeded) => {
        const policy = createPolicy(policyConfig, seededRandom(seeded), new FakeClock());
        const chances = policy.chances(candidates);
        // The loads are constant, so that each pick is a draw from the same distribution.
        expectShares(
          tally(candidates.length, 4000, () => policy.pick(candidates, UNKNOWN_CALL)),
          chances,
        );
      }),
      150,
    );
  });
});

describe('a policy that learns', () => {
  const learning = fc.constantFrom('adaptive', 'peak_ewma', 'hot_cold');
  const outcome = fc.record({
    at: fc.nat({ max: 60_000 }),
    host: fc.nat({ max: 7 }),
    method: fc.constantFrom('', '/a.B/C', '/a.B/D'),
    stream: fc.boolean(),
    latency: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e9, noNaN: true })),
    failed: fc.boolean(),
    cutShort: fc.boolean(),
    namedMetrics: fc.dictionary(
      fc.constantFrom('in_flight', 'event_loop_lag_ms', 'other'),
      fc.double({ min: 0, max: 1e15, noNaN: true }),
    ),
  });

  test('has chances that add up to 1, and picks an endpoint with a chance above 0, whatever it learns', () => {
    check(
      fc.property(learning, list, fc.array(outcome, { maxLength: 40 }), seed, (name, candidates, outcomes, seeded) => {
        const clock = new FakeClock();
        const policy = createPolicy({ name }, seededRandom(seeded), clock);
        for (const { at, host: i, method, stream, namedMetrics, ...rest } of outcomes) {
          clock.advance(at);
          const report = { cpuUtilization: 0, applicationUtilization: 0, rps: 0, eps: 0, namedMetrics };
          policy.learn?.(candidates[i % candidates.length]!, { method, stream }, { ...rest, report });
          const chances = policy.chances(candidates);
          expect(sum(chances)).toBeCloseTo(1, 9);
          const index = policy.pick(candidates, { method, stream });
          expect(chances[index]).toBeGreaterThan(0);
          candidates[index]!.inFlight++;
        }
      }),
    );
  });

  test('treats all endpoints equally again after an hour without learning', () => {
    check(
      fc.property(learning, fc.array(outcome, { maxLength: 40 }), seed, (name, outcomes, seeded) => {
        const clock = new FakeClock();
        const policy = createPolicy({ name }, seededRandom(seeded), clock);
        const candidates = hosts([0, 0, 0, 0]);
        for (const { at, host: i, method, stream, namedMetrics, ...rest } of outcomes) {
          clock.advance(at);
          const report = { cpuUtilization: 0, applicationUtilization: 0, rps: 0, eps: 0, namedMetrics };
          policy.learn?.(candidates[i % 4]!, { method, stream }, { ...rest, report });
        }
        clock.advance(3_600_000);
        fill(policy, candidates, 40);
        expect(candidates.map(({ inFlight }) => inFlight)).toEqual([10, 10, 10, 10]);
      }),
    );
  });
});

describe('least_request', () => {
  test('over all endpoints fills in proportion to the weights, exactly, when a whole round of calls is in flight', () => {
    // (inFlight + 1) / weight is the divisor method of Jefferson, which is exact whenever a fair share is whole.
    const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
    check(
      fc.property(weights, fc.integer({ min: 1, max: 5 }), seed, (each, rounds, seeded) => {
        const candidates = hosts(
          each.map(() => 0),
          each,
        );
        fill(new LeastRequest({}, seededRandom(seeded)), candidates, rounds * sum(each));
        expect(candidates.map(({ inFlight }) => inFlight)).toEqual(each.map((weight) => weight * rounds));
      }),
    );
  });

  test('over all endpoints of equal weight never lets two that were even get more than one apart', () => {
    check(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.nat({ max: 300 }), seed, (n, calls, seeded) => {
        const candidates = hosts(Array.from({ length: n }, () => 0));
        fill(new LeastRequest({ choiceCount: 1000 }, seededRandom(seeded)), candidates, calls);
        const inFlight = candidates.map((each) => each.inFlight);
        expect(Math.max(...inFlight) - Math.min(...inFlight)).toBeLessThanOrEqual(1);
      }),
      100,
    );
  });

  test('never picks one of the k − 1 busiest with k choices', () => {
    const distinct = fc.uniqueArray(fc.nat({ max: 1000 }), { minLength: 3, maxLength: 12 });
    check(
      fc.property(distinct, fc.integer({ min: 2, max: 12 }), seed, (inFlight, choiceCount, seeded) => {
        const candidates = hosts(inFlight);
        const policy = new LeastRequest({ choiceCount }, seededRandom(seeded));
        const spared = Math.min(choiceCount, inFlight.length) - 1;
        const busiest = new Set(inFlight.toSorted((a, b) => b - a).slice(0, spared));
        for (let i = 0; i < 50; i++) expect(busiest).not.toContain(inFlight[policy.pick(candidates)]);
      }),
    );
  });
});

describe('pick_first', () => {
  test('keeps one order of all endpoints, shuffled or not, whichever of them are present', () => {
    const masks = fc.array(fc.integer({ min: 1, max: 2 ** 6 - 1 }), { minLength: 1, maxLength: 20 });
    check(
      fc.property(fc.boolean(), masks, seed, (shuffleAddressList, subsets, seeded) => {
        const all = hosts([0, 0, 0, 0, 0, 0]);
        const policy = new PickFirst({ shuffleAddressList }, seededRandom(seeded));
        const beats = new Map<Host, Set<Host>>(all.map((each) => [each, new Set()]));
        for (const mask of subsets) {
          const present = all.filter((_, i) => mask & (1 << i));
          const first = present[policy.pick(present)]!;
          for (const other of present) if (other !== first) beats.get(first)!.add(other);
        }
        for (const [better, worse] of beats) for (const each of worse) expect(beats.get(each)).not.toContain(better);
        // The first of all endpoints is first in every list that has it.
        const first = all[policy.pick(all)]!;
        expect([...beats.values()].some((losers) => losers.has(first))).toBe(false);
      }),
    );
  });
});

describe('ring_hash', () => {
  const unique = fc.uniqueArray(host, { selector: ({ key }) => key, minLength: 2, maxLength: 8 });
  const call = (hashKey: string) => ({ ...UNKNOWN_CALL, hashKey });

  test('moves a key only when its endpoint leaves, or to a new endpoint', () => {
    check(
      fc.property(unique, fc.string({ minLength: 1 }), fc.nat({ max: 7 }), seed, (all, key, at, seeded) => {
        const policy = createPolicy({ name: 'ring_hash', by: 'x-id' }, seededRandom(seeded), new FakeClock());
        const one = all[at % all.length]!;
        const others = all.filter((each) => each !== one);
        const before = others[policy.pick(others, call(key))]!;
        const after = all[policy.pick(all, call(key))]!;
        expect([before, one]).toContain(after);
        expect(others[policy.pick(others.toReversed(), call(key))]).toBe(
          others[others.length - 1 - others.indexOf(before)],
        );
      }),
    );
  });

  test('with bounded load gives no endpoint more than its bound, rounded up, whatever the keys', () => {
    const keys = fc.array(fc.constantFrom('a', 'b', 'c', undefined), { minLength: 1, maxLength: 200 });
    const bound = fc.double({ min: 1.01, max: 3, noNaN: true });
    check(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
        keys,
        bound,
        ringHash,
        seed,
        (weights, calls, c, ring, seeded) => {
          const policy = createPolicy(
            { ...ring, boundedLoad: c } as PolicyConfig,
            seededRandom(seeded),
            new FakeClock(),
          );
          const all = hosts(
            weights.map(() => 0),
            weights,
          );
          for (const [i, hashKey] of calls.entries()) {
            const picked = all[policy.pick(all, { ...UNKNOWN_CALL, hashKey })]!;
            picked.inFlight++;
            expect(picked.inFlight).toBeLessThanOrEqual(Math.ceil((c * (i + 1) * picked.weight) / sum(weights)));
          }
        },
      ),
    );
  });
});
