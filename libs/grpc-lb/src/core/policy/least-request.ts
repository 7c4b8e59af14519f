import type { LeastRequestConfig } from '../options/policy-config.js';
import type { Random } from '../random.js';
import { chancesOf, Contest } from './contest.js';
import { choicesFor, isWeighted } from './memory.js';
import { PerList } from './per-list.js';
import type { Candidate, Policy } from './policy.js';
import { WeightedRandom } from './weighted-random.js';

/** Least outstanding requests (gRFC A48, Envoy), over distinct endpoints. */
export class LeastRequest implements Policy {
  readonly #lists: PerList<{ readonly contest: Contest; readonly weighted: boolean }>;
  readonly #byWeight: WeightedRandom;

  constructor(
    private readonly config: Omit<LeastRequestConfig, 'name'>,
    random: Random,
  ) {
    this.#byWeight = new WeightedRandom(random);
    this.#lists = new PerList((candidates) => {
      const weighted = isWeighted(candidates);
      const choices = weighted ? candidates.length : (config.choiceCount ?? choicesFor(candidates));
      return { contest: new Contest(candidates.length, choices, random), weighted };
    });
  }

  pick(candidates: readonly Candidate[]): number {
    const { contest, weighted } = this.#lists.of(candidates);
    if (weighted && this.#onlyWeightCounts(candidates)) return this.#byWeight.pick(candidates);
    const { entrants, loads, size } = contest;
    contest.draw();
    for (let k = 0; k < size; k++) loads[k] = this.#load(candidates[entrants[k]!]!, weighted);
    return contest.winner();
  }

  chances(candidates: readonly Candidate[]): number[] {
    const { contest, weighted } = this.#lists.of(candidates);
    if (weighted && this.#onlyWeightCounts(candidates)) return this.#byWeight.chances(candidates);
    return chancesOf(
      candidates.map((candidate) => this.#load(candidate, weighted)),
      contest.size,
    );
  }

  /** While all are idle, or bias 0 ignores their load, calls are shared out in proportion to the weights, as in Envoy. */
  #onlyWeightCounts(candidates: readonly Candidate[]): boolean {
    return this.config.activeRequestBias === 0 || candidates.every(({ inFlight }) => inFlight === 0);
  }

  /** Smaller wins. With unequal weights Envoy compares weight / (active + 1)^bias; this is its inverse. */
  #load(candidate: Candidate, weighted: boolean): number {
    const active = candidate.inFlight + 1;
    if (!weighted) return active * candidate.failureFactor;
    const bias = this.config.activeRequestBias ?? 1;
    return ((bias === 1 ? active : active ** bias) * candidate.failureFactor) / candidate.weight;
  }
}
