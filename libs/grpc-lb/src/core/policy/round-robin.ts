import { type Random, randomBelow } from '../random.js';
import type { Candidate, Policy } from './policy.js';

/** One after the other, from a random start, so that many clients that begin together do not march in step. */
export class RoundRobin implements Policy {
  #next: number | undefined;

  constructor(private readonly random: Random) {}

  pick(candidates: readonly Candidate[]): number {
    const index = this.#position(candidates);
    this.#next = index + 1;
    return index;
  }

  chances(candidates: readonly Candidate[]): number[] {
    const next = this.#position(candidates);
    return candidates.map((_, i) => (i === next ? 1 : 0));
  }

  #position(candidates: readonly Candidate[]): number {
    this.#next ??= randomBelow(this.random, candidates.length);
    return this.#next % candidates.length;
  }
}
