import { type Random, randomBelow } from '../random.js';
import { PerList } from './per-list.js';
import type { Candidate, Policy } from './policy.js';
import { equalShares } from './shares.js';

/**
 * One endpoint after the other, from a random start, so that clients that start together do not move in step. Ignores
 * weights, like gRPC's `round_robin`.
 */
export class RoundRobin implements Policy {
  readonly streams = 'even';
  readonly shares = equalShares;
  #next: number | undefined;
  /**
   * Lists may alternate, as those of zones do: each has a position of its own, and a new list continues from that of
   * the list before it.
   */
  readonly #places: PerList<{ next: number }>;

  constructor(random: Random) {
    this.#places = new PerList(({ length }) => ({ next: (this.#next ??= randomBelow(random, length)) }));
  }

  pick(candidates: readonly Candidate[]): number {
    const place = this.#places.of(candidates);
    const index = place.next % candidates.length;
    this.#next = place.next = index + 1;
    return index;
  }

  chances(candidates: readonly Candidate[]): number[] {
    const next = this.#places.of(candidates).next % candidates.length;
    return candidates.map((_, i) => (i === next ? 1 : 0));
  }
}
