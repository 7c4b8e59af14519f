import type { PickFirstConfig } from '../options/policy-config.js';
import type { Random } from '../random.js';
import type { Candidate, Policy } from './policy.js';

/** The first endpoint of the list, or the first in a random order of this client (gRFC A62). */
export class PickFirst implements Policy {
  /** Drawn once per endpoint, so that the order survives changes of the list. */
  readonly #ranks = new WeakMap<Candidate, number>();

  constructor(
    private readonly config: Omit<PickFirstConfig, 'name'>,
    private readonly random: Random,
  ) {}

  pick(candidates: readonly Candidate[]): number {
    if (!this.config.shuffleAddressList) return 0;
    let first = 0;
    for (let i = 1; i < candidates.length; i++) {
      if (this.#rank(candidates[i]!) < this.#rank(candidates[first]!)) first = i;
    }
    return first;
  }

  /**
   * The first endpoint has all calls, even during its slow start: no other endpoint has a share that could carry them.
   */
  shares(candidates: readonly Candidate[]): number[] {
    return this.chances(candidates);
  }

  chances(candidates: readonly Candidate[]): number[] {
    const first = this.pick(candidates);
    return candidates.map((_, i) => (i === first ? 1 : 0));
  }

  #rank(candidate: Candidate): number {
    let rank = this.#ranks.get(candidate);
    if (rank === undefined) this.#ranks.set(candidate, (rank = this.random()));
    return rank;
  }
}
