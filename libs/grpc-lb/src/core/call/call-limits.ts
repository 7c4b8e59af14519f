import type { CallPolicy } from './call-policy.js';

/** What one call may do less than its method allows. */
export interface CallLimits {
  /** Attempts by retries in total, including the first; 1: no retries. Undefined: as the method allows. */
  readonly retryAttempts?: number | undefined;
  /** Attempts by hedging in total, including the first; 1: no hedging. Undefined: as the method allows. */
  readonly hedgeAttempts?: number | undefined;
  /** Milliseconds; false: none. Undefined: as the method says. */
  readonly attemptTimeout?: number | false | undefined;
}

/** The policy of a call with limits of its own. Limits only lower what the policy allows. */
export function limitedPolicy(policy: CallPolicy, limits: CallLimits): CallPolicy {
  return {
    ...policy,
    retry: limitedRule(policy.retry, limits.retryAttempts),
    hedge: limitedRule(policy.hedge, limits.hedgeAttempts),
    attemptTimeout: shorter(policy.attemptTimeout, limits.attemptTimeout),
  };
}

function limitedRule<R extends { readonly maxAttempts: number }>(
  rule: R | undefined,
  maxAttempts = Infinity,
): R | undefined {
  if (!rule || maxAttempts >= rule.maxAttempts) return rule;
  return maxAttempts > 1 ? { ...rule, maxAttempts } : undefined;
}

function shorter(ofMethod: number | undefined, own: number | false | undefined): number | undefined {
  if (own === undefined || ofMethod === undefined) return own === false ? undefined : (own ?? ofMethod);
  return own === false ? undefined : Math.min(ofMethod, own);
}
