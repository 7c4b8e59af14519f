import type { Candidate, Policy } from './policy.js';

/** The share of calls that each candidate should have under a policy while all are equally loaded. They add up to 1. */
export function sharesOf(policy: Policy, candidates: readonly Candidate[]): number[] {
  return policy.shares?.(candidates) ?? byWeight(candidates);
}

export function equalShares(candidates: readonly Candidate[]): number[] {
  return candidates.map(() => 1 / candidates.length);
}

export function byWeight(candidates: readonly Candidate[]): number[] {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  return candidates.map(({ weight }) => weight / total);
}
