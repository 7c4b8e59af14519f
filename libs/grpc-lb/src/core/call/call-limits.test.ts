import { describe, expect, test } from 'vitest';
import { limitedPolicy } from './call-limits.js';
import type { CallPolicy, HedgeRule, RetryRule } from './call-policy.js';

const retry: RetryRule = {
  maxAttempts: 4,
  retryableCodes: new Set([14]),
  initialBackoff: 1,
  maxBackoff: 2,
  backoffMultiplier: 1,
};
const hedge: HedgeRule = { maxAttempts: 3, delay: () => 5, nonFatalCodes: new Set() };

describe('the policy of a call with limits', () => {
  test.each([
    [undefined, 4],
    [9, 4],
    [4, 4],
    [2, 2],
    [1, undefined],
  ])('retries: %s of 4 attempts are %s', (retryAttempts, expected) => {
    const limited = limitedPolicy({ retry }, { retryAttempts });
    expect(limited.retry?.maxAttempts).toBe(expected);
    expect(limited.retry?.retryableCodes).toBe(expected === undefined ? undefined : retry.retryableCodes);
  });

  test.each([
    [undefined, 3],
    [2, 2],
    [1, undefined],
  ])('hedging: %s of 3 attempts are %s', (hedgeAttempts, expected) => {
    expect(limitedPolicy({ hedge }, { hedgeAttempts }).hedge?.maxAttempts).toBe(expected);
  });

  test.each([
    [undefined, undefined, undefined],
    [100, undefined, 100],
    [100, 50, 50],
    [100, 500, 100],
    [undefined, 50, 50],
    [100, false, undefined],
    [undefined, false, undefined],
  ] as const)('attempt timeout: of the method %s, of the call %s, is %s', (attemptTimeout, own, expected) => {
    expect(limitedPolicy({ attemptTimeout }, { attemptTimeout: own }).attemptTimeout).toBe(expected);
  });

  test('a method without retries or hedging gets none, and the rest stays as it is', () => {
    const policy: CallPolicy = { acceptedByResponse: true };
    expect(limitedPolicy(policy, { retryAttempts: 3, hedgeAttempts: 3 })).toEqual({ acceptedByResponse: true });
  });
});
