import type { Random } from '../random.js';
import type { Candidate, Policy } from './policy.js';

/** A random endpoint, in proportion to its weight; ignores load. */
export class WeightedRandom implements Policy {
  readonly streams = 'even';
  #seen: readonly Candidate[] = [];
  /** The end of each candidate's share, on a scale from 0 to the sum of the weights. */
  #ends: number[] = [];

  constructor(private readonly random: Random) {}

  pick(candidates: readonly Candidate[]): number {
    if (candidates !== this.#seen) this.#meet(candidates);
    const point = this.random() * this.#ends.at(-1)!;
    let low = 0;
    let high = this.#ends.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (point < this.#ends[middle]!) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  chances(candidates: readonly Candidate[]): number[] {
    const total = candidates.reduce((sum, candidate) => sum + candidate.weight, 0);
    return candidates.map((candidate) => candidate.weight / total);
  }

  #meet(candidates: readonly Candidate[]): void {
    let end = 0;
    this.#seen = candidates;
    this.#ends = candidates.map((candidate) => (end += candidate.weight));
  }
}
