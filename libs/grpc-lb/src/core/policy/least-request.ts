import type { LeastRequestConfig } from '../options/policy-config.js';
import { type Random, randomBelow } from '../random.js';
import type { Candidate, Policy } from './policy.js';
import { WeightedRandom } from './weighted-random.js';

/**
 * Up to here all endpoints are compared for each call: in the simulator a full scan beats a sample everywhere, and at
 * 100 endpoints it costs a quarter of a microsecond.
 */
export const FULL_SCAN_LIMIT = 100;
/** How many are compared above that. */
export const SAMPLE_SIZE = 5;

/**
 * Least outstanding requests (gRFC A48, Envoy). gRPC and Envoy draw their samples with replacement, so that of two
 * hosts the busy one still gets a quarter of the calls (envoy#14859); as Finagle and tower do, this one draws distinct
 * endpoints.
 */
export class LeastRequest implements Policy {
  /** Indexes of the candidates in some order; a partial shuffle of any order is an unbiased sample, so it is never reset. */
  #order = new Uint32Array(0);
  #seen: readonly Candidate[] = [];
  #weighted = false;
  readonly #byWeight: WeightedRandom;

  constructor(
    private readonly config: Omit<LeastRequestConfig, 'name'>,
    private readonly random: Random,
  ) {
    this.#byWeight = new WeightedRandom(random);
  }

  pick(candidates: readonly Candidate[]): number {
    if (candidates !== this.#seen) this.#meet(candidates);
    if (this.#weighted && this.#onlyWeightCounts(candidates)) return this.#byWeight.pick(candidates);
    return this.#choices(candidates) < candidates.length
      ? this.#leastOfSample(candidates)
      : this.#leastOfAll(candidates);
  }

  chances(candidates: readonly Candidate[]): number[] {
    this.#meet(candidates);
    if (this.#weighted && this.#onlyWeightCounts(candidates)) return this.#byWeight.chances(candidates);
    const n = candidates.length;
    const choices = Math.min(this.#choices(candidates), n);
    const loads = candidates.map((candidate) => this.#load(candidate));
    /** The chance that a sample holds only endpoints out of a group of `size`. */
    const allFrom = (size: number): number => {
      let chance = 1;
      for (let i = 0; i < choices; i++) chance *= Math.max(0, size - i) / (n - i);
      return chance;
    };
    return loads.map((load) => {
      const lower = loads.filter((other) => other < load).length;
      const equal = loads.filter((other) => other === load).length;
      // The winner has this load if nobody in the sample has a lower one and somebody has this one; ties are even.
      return (allFrom(n - lower) - allFrom(n - lower - equal)) / equal;
    });
  }

  /** As in Envoy, endpoints with unequal weights are not sampled: the few that are heavy must not be missed. */
  #choices(candidates: readonly Candidate[]): number {
    if (this.#weighted) return candidates.length;
    return this.config.choiceCount ?? (candidates.length <= FULL_SCAN_LIMIT ? candidates.length : SAMPLE_SIZE);
  }

  /** While all are idle, or bias 0 ignores their load, calls are shared out in proportion to the weights, as in Envoy. */
  #onlyWeightCounts(candidates: readonly Candidate[]): boolean {
    return this.config.activeRequestBias === 0 || candidates.every(({ inFlight }) => inFlight === 0);
  }

  /** Smaller wins. With unequal weights Envoy compares weight / (active + 1)^bias; this is its inverse. */
  #load(candidate: Candidate): number {
    const active = candidate.inFlight + 1;
    if (!this.#weighted) return active * candidate.failureFactor;
    const bias = this.config.activeRequestBias ?? 1;
    return ((bias === 1 ? active : active ** bias) * candidate.failureFactor) / candidate.weight;
  }

  #leastOfAll(candidates: readonly Candidate[]): number {
    const tied = this.#order;
    let least = Infinity;
    let ties = 0;
    for (let i = 0; i < candidates.length; i++) {
      const load = this.#load(candidates[i]!);
      if (load > least) continue;
      if (load < least) {
        least = load;
        ties = 0;
      }
      tied[ties++] = i;
    }
    // One draw among all that tie: each is as likely as the other, wherever it stands in the list.
    return tied[ties === 1 ? 0 : randomBelow(this.random, ties)]!;
  }

  #leastOfSample(candidates: readonly Candidate[]): number {
    const order = this.#order;
    const choices = this.#choices(candidates);
    let winner = -1;
    let least = Infinity;
    for (let i = 0; i < choices; i++) {
      const drawn = i + randomBelow(this.random, order.length - i);
      const index = order[drawn]!;
      order[drawn] = order[i]!;
      order[i] = index;
      const load = this.#load(candidates[index]!);
      // gRFC A48: the challenger wins only on strictly fewer. The sample is in random order, so ties are fair.
      if (load < least) {
        least = load;
        winner = index;
      }
    }
    return winner;
  }

  #meet(candidates: readonly Candidate[]): void {
    this.#seen = candidates;
    this.#order = Uint32Array.from(candidates, (_, i) => i);
    this.#weighted = candidates.some((candidate) => candidate.weight !== candidates[0]!.weight);
  }
}
