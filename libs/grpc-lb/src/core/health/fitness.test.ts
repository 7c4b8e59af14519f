import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/fake-clock.js';
import { effectiveEjection } from '../options/ejection-options.js';
import { effectiveSlowStart } from '../options/slow-start-options.js';
import { seededRandom } from '../random.js';
import { FailureRate, UNDECIDED_FACTOR } from './failure-rate.js';
import { Fitness } from './fitness.js';

test('what is forgiven is forgotten: failures, and an ejection', () => {
  const fitness = new Fitness(
    new FakeClock(),
    seededRandom(1),
    () => ({ ejection: effectiveEjection(), slowStart: effectiveSlowStart() }),
    { fitnessChanged: () => {}, warmedUp: () => {}, outlierFound: () => {} },
  );
  fitness.remember(true);
  fitness.remember(true);
  fitness.eject('5 failures in a row');
  fitness.forgive();
  expect(fitness.admitted).toBe(true);
  expect(fitness.failureFactor).toBe(1);
  // The next failure is a first one.
  fitness.remember(true);
  expect(fitness.failureRate).toBeCloseTo(0.2, 12);
});

describe('the failure factor', () => {
  test.each([true, false])(
    'is that of the failures, bounded while they may still eject; with ejection: %s',
    (enabled) => {
      const found: string[] = [];
      const fitness = new Fitness(
        new FakeClock(),
        seededRandom(1),
        () => ({ ejection: effectiveEjection({ enabled }), slowStart: effectiveSlowStart() }),
        { fitnessChanged: () => {}, warmedUp: () => {}, outlierFound: (reason) => found.push(reason) },
      );
      const rate = new FailureRate();
      for (let failures = 1; failures <= 5; failures++) {
        expect(found).toEqual([]);
        fitness.remember(true);
        fitness.judge(true, false);
        rate.record(true, 0);
        const bounded = enabled && failures < 5;
        expect(fitness.failureFactor).toBe(bounded ? Math.min(UNDECIDED_FACTOR, rate.factor(0)) : rate.factor(0));
      }
      expect(found).toEqual(enabled ? ['5 failures in a row'] : []);
    },
  );
});
