import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exceedsChance, likelyShare } from '../../libs/grpc-lb/src/core/balancing/health/chance.js';
import { RecentResults, type ResultKind } from '../../libs/grpc-lb/src/core/balancing/health/recent-results.js';
import { FailureRate } from '../../libs/grpc-lb/src/core/balancing/health/failure-rate.js';
import { Outlier } from '../../libs/grpc-lb/src/core/balancing/health/outlier.js';
import type { Verdict } from '../../libs/grpc-lb/src/core/balancing/health/peer.js';
import { SuccessWindow } from '../../libs/grpc-lb/src/core/balancing/health/success-window.js';
import { effectiveEjection } from '../../libs/grpc-lb/src/core/options/ejection-options.js';
import { seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import { check } from './check.js';

/** Results of calls, each some milliseconds after the one before. */
const results = fc.array(fc.record({ wait: fc.nat({ max: 4000 }), failed: fc.boolean() }), { maxLength: 120 });
const start = fc.nat({ max: 1_000_000 });

interface Result {
  readonly at: number;
  readonly failed: boolean;
}

/** Results in the window: in the current slice of a tenth, or one of the nine before it. */
function within(past: readonly Result[], now: number, window: number): { calls: number; rate: number } {
  const slice = (at: number): number => Math.floor((at * 10) / window);
  const inside = past.filter(({ at }) => slice(at) > slice(now) - 10);
  const successes = inside.filter(({ failed }) => !failed).length;
  return { calls: inside.length, rate: inside.length === 0 ? 1 : successes / inside.length };
}

/** The highest likely share, by Wilson's interval, one-sided with 99 %. */
function highestLikely({ calls, rate }: { calls: number; rate: number }): number {
  const z = 2.326;
  const spread = z * Math.sqrt((rate * (1 - rate)) / calls + z ** 2 / (4 * calls ** 2));
  return (rate + z ** 2 / (2 * calls) + spread) / (1 + z ** 2 / calls);
}

/** Failures in a row that happen once in a million, by Laplace's rule of succession. */
function unlikely({ calls, rate }: { calls: number; rate: number }): number {
  let inARow = 0;
  for (let chance = 1; chance > 1e-6; inARow++) chance *= (calls * (1 - rate) + 1) / (calls + 2);
  return Math.max(2, inARow);
}

const ILL: Verdict = { reason: 'ill', failures: 5, calls: 5, since: 0, inARow: true };

/** The probability of at least `failures` failures, as the sum over each number of them. */
function tail(failures: number, calls: number, share: number): number {
  let sum = 0;
  for (let k = failures; k <= calls; k++) {
    let term = 1;
    for (let i = 1; i <= k; i++) term *= ((calls - k + i) / i) * share;
    sum += term * (1 - share) ** (calls - k);
  }
  return sum;
}

describe('more than chance', () => {
  const sample = fc
    .record({ calls: fc.integer({ min: 1, max: 60 }), part: fc.double({ min: 0, max: 1, noNaN: true }) })
    .map(({ calls, part }) => ({ calls, failures: Math.round(part * calls) }));
  const share = fc.double({ min: 0.001, max: 0.999, noNaN: true });

  test('never includes what is more likely than the limit, by the exact binomial tail', () => {
    check(
      fc.property(sample, share, fc.constantFrom(1e-6, 1e-3, 0.01), ({ calls, failures }, q, chance) => {
        const exact = tail(failures, calls, q);
        expect(exceedsChance(failures, calls, q, chance) && exact > chance * (1 + 1e-9)).toBe(false);
      }),
    );
  });

  test('includes everything that is a hundred times less likely', () => {
    check(
      fc.property(sample, share, ({ calls, failures }, q) => {
        // The bound is too high by the square root of the calls at most.
        const rare = failures > 0 && tail(failures, calls, q) < 1e-8;
        expect(rare && !exceedsChance(failures, calls, q, 1e-6)).toBe(false);
      }),
    );
  });

  test('for a run of failures follows from the power of the share', () => {
    check(
      fc.property(fc.integer({ min: 1, max: 200 }), share, (run, q) => {
        const power = q ** run;
        fc.pre(Math.abs(power / 1e-6 - 1) > 1e-9);
        expect(exceedsChance(run, run, q, 1e-6)).toBe(power < 1e-6);
      }),
    );
  });

  test('allows for chance in the results of the others: the likely share is at least the observed one', () => {
    check(
      fc.property(sample, ({ calls, failures }) => {
        const likely = likelyShare(failures, calls);
        expect(likely).toBeLessThanOrEqual(1);
        expect(likely === 0).toBe(failures === 0);
        expect(likely).toBeGreaterThanOrEqual(failures / (calls + 1));
      }),
    );
  });
});

describe('recent results', () => {
  test('equal a list of the last 32', () => {
    check(
      fc.property(start, results, fc.nat({ max: 200_000 }), (from, steps, back) => {
        const recent = new RecentResults();
        const past: { at: number; kind: ResultKind }[] = [];
        let now = from;
        for (const { wait, failed } of steps) {
          now += wait;
          const kind: ResultKind = failed
            ? wait % 2 === 0
              ? 'failed'
              : 'timed_out'
            : wait % 2 === 0
              ? 'ok'
              : 'refused';
          recent.record(kind, now);
          past.push({ at: now, kind });
        }
        const last = past.slice(-32);
        const since = last.filter(({ at }) => at >= now - back);
        expect(recent.since(now - back)).toEqual({
          calls: since.length,
          failures: since.filter(({ kind }) => kind === 'failed' || kind === 'timed_out').length,
        });
        expect([recent.size, recent.refused]).toEqual([
          last.length,
          last.filter(({ kind }) => kind === 'refused').length,
        ]);
      }),
    );
  });
});

describe('the window of successes', () => {
  test('equals a list of all results', () => {
    check(
      fc.property(start, results, fc.integer({ min: 1000, max: 20_000 }), (from, steps, window) => {
        const slices = new SuccessWindow();
        const past: Result[] = [];
        let now = from;
        for (const { wait, failed } of steps) {
          now += wait;
          expect(past.length === 0 ? { calls: 0, rate: 1 } : slices.read(now, window)).toEqual(
            within(past, now, window),
          );
          slices.record(failed, now, window);
          past.push({ at: now, failed });
          expect(slices.read(now, window)).toEqual(within(past, now, window));
        }
      }),
    );
  });
});

describe('the failure rate', () => {
  test('stays from 0 to 1, and its factor from 1 to 2500, for any results at any time', () => {
    check(
      fc.property(start, results, (from, steps) => {
        const rate = new FailureRate();
        let now = from;
        for (const { wait, failed } of steps) {
          now += wait;
          rate.record(failed, now);
          expect(rate.rate(now)).toBeGreaterThanOrEqual(0);
          expect(rate.rate(now)).toBeLessThanOrEqual(1);
          expect(rate.factor(now)).toBeGreaterThanOrEqual(1);
          expect(rate.factor(now)).toBeLessThanOrEqual(2500 * (1 + 1e-12));
          expect(rate.rate(now + 1)).toBeLessThanOrEqual(rate.rate(now));
        }
      }),
    );
  });
});

describe('an outlier', () => {
  const options = fc
    .record({
      consecutiveFailures: fc.nat({ max: 6 }),
      successRate: fc.constantFrom(0, 0.5, 0.8, 1),
      window: fc.integer({ min: 1000, max: 20_000 }),
      minimumCalls: fc.integer({ min: 1, max: 20 }),
    })
    .map(effectiveEjection);

  test('is found exactly when a list of all results since its last reset shows it', () => {
    check(
      fc.property(
        start,
        results,
        options,
        fc.array(fc.boolean(), { minLength: 120, maxLength: 120 }),
        (from, steps, ejection, ejects) => {
          const outlier = new Outlier(seededRandom(1));
          let past: Result[] = [];
          let now = from;
          steps.forEach(({ wait, failed }, i) => {
            now += wait;
            past.push({ at: now, failed });
            const inARow = past.length - 1 - past.findLastIndex((result) => !result.failed);
            const seen = within(past, now, ejection.window);
            const run = past.slice(past.length - inARow);
            const before = within(past.slice(0, past.length - inARow), run[0]?.at ?? now, ejection.window);
            const enough = Math.min(ejection.consecutiveFailures, unlikely(before));
            const tooMany = ejection.consecutiveFailures > 0 && inARow >= enough;
            const tooFew = seen.calls >= ejection.minimumCalls && highestLikely(seen) < ejection.successRate;
            const verdict = outlier.record(failed ? 'failed' : 'ok', now, now, ejection);
            expect(verdict !== undefined, verdict?.reason).toBe(failed && (tooMany || tooFew));
            // The balancer may not allow the ejection; then the endpoint stays in rotation.
            if (verdict === undefined || !ejects[i]) return;
            const until = outlier.eject(verdict, now, ejection);
            expect(outlier.record('failed', until, until, ejection)).toBeUndefined();
            outlier.probe();
            outlier.reset(until);
            now = Math.ceil(until);
            past = [];
          });
        },
      ),
    );
  });

  test('that is ejected repeatedly stays out between the shortest and the longest time of each ejection', () => {
    check(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 10, max: 60_000 }), (seed, baseEjectionTime) => {
        const ejection = effectiveEjection({ baseEjectionTime, maxEjectionTime: baseEjectionTime * 60 });
        const outlier = new Outlier(seededRandom(seed));
        let now = 0;
        for (let i = 1; i <= 12; i++) {
          const until = outlier.eject(ILL, now, ejection);
          const longest = Math.min(baseEjectionTime * 2 ** i, ejection.maxEjectionTime);
          // Rounding: the length is the difference of two large numbers.
          expect(until - now).toBeGreaterThanOrEqual(longest / 2 - 1e-3);
          expect(until - now).toBeLessThanOrEqual(longest + 1e-3);
          outlier.probe();
          now = until;
        }
      }),
    );
  });
});
