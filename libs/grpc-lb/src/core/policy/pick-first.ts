import type { PickFirstConfig } from '../options/policy-config.js';
import type { Random } from '../random.js';
import type { Candidate, Policy } from './policy.js';

/** The first of the list, or the first in a random order of this client's own (gRFC A62). */
export class PickFirst implements Policy {
  /** Drawn once for each endpoint, so that the order survives endpoints that come and go. */
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

  /** The first has all calls, also while it starts slowly: nobody else has a share that could bear them meanwhile. */
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
