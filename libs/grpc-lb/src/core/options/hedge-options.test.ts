import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../../../../test/support/options/faults.js';
import { effectiveHedgePolicy, HEDGE_QUANTILES, hedgeCheck, hedgePolicyOf } from './hedge-options.js';
import { shown } from './validation.js';

describe('hedge', () => {
  test('has the defaults that the options document', () => {
    const defaults = { maxAttempts: 2, delay: 'p95', maxShare: 0.03, nonFatalStatusCodes: ['UNAVAILABLE'] };
    expect(effectiveHedgePolicy({})).toStrictEqual(defaults);
    expect(effectiveHedgePolicy({ delay: 0, nonFatalStatusCodes: [] })).toStrictEqual({
      ...defaults,
      delay: 0,
      maxShare: 1,
      nonFatalStatusCodes: [],
    });
  });

  test('has a delay in milliseconds, or a quantile by its name', () => {
    for (const delay of [0, 60_000, undefined, ...Object.keys(HEDGE_QUANTILES)])
      expect(faultsOf(hedgeCheck, { delay })).toEqual([]);
    for (const [name, quantile] of Object.entries(HEDGE_QUANTILES))
      expect(Number(name.slice(1)) / 100).toBeCloseTo(quantile, 9);
  });

  test.for<unknown>([-1, 60_001, 0.5, NaN, 'p97', '50', 'toString', null, true])('has no delay of %j', (delay) => {
    expect(faultsOf(hedgeCheck, { delay })).toEqual([
      `at.delay is ${shown(delay)}; use a whole number from 0 to 60000 (milliseconds), or one of p50, p75, p90, p95, p98, p99, p99.9`,
    ]);
  });

  test('of single methods accepts the same options, or true, or false', () => {
    const methods = {
      Find: true,
      Place: false,
      Search: { maxAttempts: 3, delay: 'p95', nonFatalStatusCodes: ['ABORTED'] },
    };
    expect(faultsOf(hedgeCheck, { methods })).toEqual([]);
    expect(faultsOf(hedgeCheck, { methods: { Find: 'p95', Place: { maxAttempts: 6, methods: {} } } })).toEqual([
      'at.methods.Find is "p95"; use an object with maxAttempts, delay, maxShare, nonFatalStatusCodes',
      'at.methods.Place.maxAttempts is 6; use a whole number from 1 to 5',
      expect.stringMatching(/^at\.methods\.Place\.methods is not an option/),
    ]);
    expect(faultsOf(hedgeCheck, { maxShare: 0 })).toEqual(['at.maxShare is 0; use a number from 0.001 to 1']);
    expect(faultsOf(hedgeCheck, { nonFatalStatusCodes: ['OK'] })).toEqual([
      expect.stringContaining('at.nonFatalStatusCodes[0] is "OK"'),
    ]);
  });

  test('applies to methods that are named or idempotent', () => {
    const options = { delay: 5, methods: { Find: false, Place: true, Search: { delay: 9 } } } as const;
    for (const idempotent of [false, true]) {
      expect(hedgePolicyOf(options, 'Find', idempotent)).toBeUndefined();
      expect(hedgePolicyOf(options, 'Place', idempotent)).toMatchObject({ delay: 5 });
      expect(hedgePolicyOf(options, 'Search', idempotent)).toMatchObject({ delay: 9, maxAttempts: 2 });
      expect(hedgePolicyOf(undefined, 'Find', idempotent)).toBeUndefined();
    }
    for (const other of ['Other', 'constructor']) {
      expect(hedgePolicyOf(options, other, true)).toMatchObject({ delay: 5 });
      expect(hedgePolicyOf(options, other, false)).toBeUndefined();
    }
  });

  test('with one attempt does not apply, unless the method has more', () => {
    const options = { maxAttempts: 1, methods: { Find: true, Place: { maxAttempts: 2 } } };
    expect(hedgePolicyOf(options, 'Find', true)).toBeUndefined();
    expect(hedgePolicyOf(options, 'Place', false)).toMatchObject({ maxAttempts: 2 });
  });
});
