import { type Candidate, type Policy, UNKNOWN_CALL } from '../../libs/grpc-lb/src/core/policy/policy.js';
import type { Random } from '../../libs/grpc-lb/src/core/random.js';

export interface Host extends Candidate {
  inFlight: number;
  streams: number;
  weight: number;
  failureFactor: number;
}

/** Endpoints with the given calls in flight: `host-0:1`, `host-1:1`, ... */
export function hosts(inFlight: readonly number[], weights: readonly number[] = []): Host[] {
  return inFlight.map((calls, i) => ({
    key: `host-${i}:1`,
    inFlight: calls,
    streams: 0,
    weight: weights[i] ?? 1,
    failureFactor: 1,
  }));
}

/** Picks endpoints, keeps the calls in flight, and returns the picks. */
export function fill(policy: Policy, candidates: readonly Host[], calls: number, call = UNKNOWN_CALL): number[] {
  return Array.from({ length: calls }, () => {
    const index = policy.pick(candidates, call);
    candidates[index]!.inFlight++;
    return index;
  });
}

/** Draws exactly these numbers; another draw is an error, and `left` returns how many were not drawn. */
export function scripted(...numbers: number[]): Random & { readonly left: () => number } {
  const random = (): number => {
    const next = numbers.shift();
    if (next === undefined) throw new Error('the script has no further number');
    return next;
  };
  return Object.assign(random, { left: () => numbers.length });
}
