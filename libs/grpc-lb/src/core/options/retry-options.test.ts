import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../../../../test/support/options/faults.js';
import {
  deadlineCheck,
  effectiveBudget,
  effectiveRetryPolicy,
  effectiveThrottling,
  retryCheck,
  retryPolicyOf,
  timeoutOf,
} from './retry-options.js';

describe('retry', () => {
  test('has the defaults that the options document', () => {
    const defaults = {
      maxAttempts: 3,
      retryableStatusCodes: ['UNAVAILABLE'],
      initialBackoff: 50,
      maxBackoff: 1000,
      backoffMultiplier: 2,
      attemptTimeout: undefined,
    };
    expect(effectiveRetryPolicy({})).toStrictEqual(defaults);
    expect(effectiveRetryPolicy({ maxAttempts: 1 })).toStrictEqual({ ...defaults, maxAttempts: 1 });
  });

  test('of single methods accepts the same options, or false', () => {
    const methods = { Find: false, Place: { maxAttempts: 2, retryableStatusCodes: ['ABORTED'] } };
    expect(faultsOf(retryCheck, { methods })).toEqual([]);
    expect(faultsOf(retryCheck, { methods: { Find: true, Place: { maxAttempts: 9, methods: {} } } })).toEqual([
      expect.stringMatching(/^at\.methods\.Find is true; use an object with maxAttempts, /),
      'at.methods.Place.maxAttempts is 9; use a whole number from 1 to 5',
      expect.stringMatching(/^at\.methods\.Place\.methods is not an option/),
    ]);
    expect(faultsOf(retryCheck, { methods: ['Find'] })).toEqual(['at.methods is ["Find"]; use an object']);
  });

  test('is throttled within the range of gRFC A6, or not at all', () => {
    for (const throttling of [false, {}, { maxTokens: 1, tokenRatio: 0.001 }, { maxTokens: 1000 }])
      expect(faultsOf(retryCheck, { throttling })).toEqual([]);
    expect(faultsOf(retryCheck, { throttling: { maxTokens: 0, tokenRatio: 0 } })).toEqual([
      'at.throttling.maxTokens is 0; use a whole number from 1 to 1000',
      'at.throttling.tokenRatio is 0; use a number from 0.001 to 1000',
    ]);
    expect(faultsOf(retryCheck, { throttling: true })).toEqual([
      'at.throttling is true; use an object with maxTokens, tokenRatio',
    ]);
  });

  test('has a budget of a share of the calls and a few per second, or none', () => {
    for (const budget of [false, {}, { ratio: 0, minPerSecond: 0 }, { ratio: 1, minPerSecond: 1000 }])
      expect(faultsOf(retryCheck, { budget })).toEqual([]);
    expect(faultsOf(retryCheck, { budget: { ratio: 20, minPerSecond: -1 } })).toEqual([
      'at.budget.ratio is 20; use a number from 0 to 1',
      'at.budget.minPerSecond is -1; use a number from 0 to 1000',
    ]);
    expect(faultsOf(retryCheck, { budget: 0.2 })).toEqual(['at.budget is 0.2; use an object with ratio, minPerSecond']);
  });

  test('is throttled and has a budget unless they are turned off', () => {
    expect(effectiveThrottling()).toStrictEqual({ maxTokens: 100, tokenRatio: 0.1 });
    expect(effectiveThrottling({ throttling: { tokenRatio: 1 } })).toStrictEqual({ maxTokens: 100, tokenRatio: 1 });
    expect(effectiveThrottling({ throttling: false })).toBeUndefined();
    expect(effectiveBudget()).toStrictEqual({ ratio: 0.2, minPerSecond: 10 });
    expect(effectiveBudget({ budget: { minPerSecond: 0 } })).toStrictEqual({ ratio: 0.2, minPerSecond: 0 });
    expect(effectiveBudget({ budget: false })).toBeUndefined();
  });

  test('of a method completes the common options, and undefined counts as absent', () => {
    const options = {
      maxAttempts: 5,
      attemptTimeout: 100,
      methods: { Find: { maxAttempts: undefined }, Place: false },
    } as const;
    expect(retryPolicyOf(options, 'Find')).toMatchObject({ maxAttempts: 5, attemptTimeout: 100 });
    expect(retryPolicyOf(options, 'Place')).toBeUndefined();
    // A method may be called like a member of every object.
    expect(retryPolicyOf(options, 'constructor')).toStrictEqual(retryPolicyOf(options, 'Find'));
    expect(retryPolicyOf(undefined, 'Find')).toBeUndefined();
  });
});

describe('deadline', () => {
  test.each([
    ['2s', 2000],
    ['1.5 s', 1500],
    ['500ms', 500],
    ['1m', 60_000],
    ['250', 250],
  ])('as the string %s gets a suggestion in milliseconds', (text, timeout) => {
    expect(faultsOf(deadlineCheck, text)).toEqual([`at is "${text}"; use { timeout: ${timeout} }, in milliseconds`]);
  });

  test('as a bare number gets a suggestion with the right form', () => {
    expect(faultsOf(deadlineCheck, 1000)).toEqual(['at is 1000; use { timeout: 1000 }, in milliseconds']);
  });

  test('of a method overrides the common one, which does not apply to response streams', () => {
    const options = { timeout: 1000, methods: { Find: 1, Watch: 2 } };
    expect(timeoutOf(options, 'Find', false)).toBe(1);
    expect(timeoutOf(options, 'Place', false)).toBe(1000);
    expect(timeoutOf(options, 'constructor', false)).toBe(1000);
    expect(timeoutOf(options, 'Watch', true)).toBe(2);
    expect(timeoutOf(options, 'Other', true)).toBeUndefined();
    expect(timeoutOf(undefined, 'Find', false)).toBeUndefined();
  });

  test('of single methods is a number', () => {
    expect(faultsOf(deadlineCheck, { inherit: false, methods: { Find: 100, Place: { inherit: true } } })).toEqual([]);
    expect(faultsOf(deadlineCheck, { methods: { Find: { timeout: 0, inherit: 1 } } })).toHaveLength(2);
    expect(faultsOf(deadlineCheck, { methods: { Find: '1s', Place: 0 } })).toEqual([
      'at.methods.Find is "1s"; use a whole number from 1 to 86400000 (milliseconds)',
      'at.methods.Place is 0; use a whole number from 1 to 86400000 (milliseconds)',
    ]);
  });
});
