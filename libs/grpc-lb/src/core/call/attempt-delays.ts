import { jittered, type Random } from '../random.js';
import type { RetryRule } from './call-policy.js';

/**
 * Milliseconds before a retry: "min(initialBackoff * backoffMultiplier^(n-1), maxBackoff)", with a jitter of ± 20 %.
 *
 * @param before How many retries were delayed so before it.
 */
export function backoff(
  { initialBackoff, backoffMultiplier, maxBackoff }: RetryRule,
  before: number,
  random: Random,
): number {
  return jittered(random, Math.min(initialBackoff * backoffMultiplier ** before, maxBackoff), 0.2);
}

/** "If the value for pushback is negative or unparseable, then it is taken as an instruction to not retry at all." */
export function forbids(pushback: number | undefined): boolean {
  return pushback !== undefined && !(pushback >= 0);
}
