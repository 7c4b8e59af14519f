import type { LeastRequestConfig } from '../options/policy-config.js';
import type { Random } from '../random.js';
import { chancesOf, Sample } from './sample.js';
import { choicesFor, isWeighted } from './candidate-states.js';
import { PerList } from './per-list.js';
import type { Candidate, Policy } from './policy.js';

/** Least outstanding requests (gRFC A48, Envoy), over distinct endpoints. */
export class LeastRequest implements Policy {
  readonly streams = 'fewest';
  readonly #lists: PerList<{ readonly sample: Sample; readonly weighted: boolean }>;

  constructor(
    private readonly config: Omit<LeastRequestConfig, 'name'>,
    private readonly random: Random,
  ) {
    this.#lists = new PerList((candidates) => {
      const weighted = isWeighted(candidates);
      const choices = weighted ? candidates.length : (config.choiceCount ?? choicesFor(candidates));
      return { sample: new Sample(candidates.length, choices, random), weighted };
    });
  }

  pick(candidates: readonly Candidate[]): number {
    const { sample, weighted } = this.#lists.of(candidates);
    if (weighted && this.#onlyWeightCounts(candidates)) return this.#drawByWeight(candidates);
    const { indexes, loads, size } = sample;
    sample.renew();
    for (let k = 0; k < size; k++) loads[k] = this.#load(candidates[indexes[k]!]!, weighted);
    return sample.lowest();
  }

  chances(candidates: readonly Candidate[]): number[] {
    const { sample, weighted } = this.#lists.of(candidates);
    if (weighted && this.#onlyWeightCounts(candidates)) {
      const total = totalOf(candidates);
      return candidates.map((candidate) => shareOf(candidate) / total);
    }
    return chancesOf(
      candidates.map((candidate) => this.#load(candidate, weighted)),
      sample.size,
    );
  }

  /** While all are idle, or if bias 0 ignores load, calls are distributed in proportion to the weights, as in Envoy. */
  #onlyWeightCounts(candidates: readonly Candidate[]): boolean {
    return this.config.activeRequestBias === 0 || candidates.every(({ inFlight }) => inFlight === 0);
  }

  #drawByWeight(candidates: readonly Candidate[]): number {
    let draw = this.random() * totalOf(candidates);
    const last = candidates.length - 1;
    for (let i = 0; i < last; i++) if ((draw -= shareOf(candidates[i]!)) < 0) return i;
    return last;
  }

  /** The smallest wins. With unequal weights Envoy compares weight / (active + 1)^bias; this is its inverse. */
  #load(candidate: Candidate, weighted: boolean): number {
    const active = candidate.inFlight + 1;
    if (!weighted) return active * candidate.failureFactor;
    const bias = this.config.activeRequestBias ?? 1;
    return ((bias === 1 ? active : active ** bias) * candidate.failureFactor) / candidate.weight;
  }
}

/**
 * The share of an idle endpoint by its weight, reduced for recent failures: an endpoint that fails at once is always
 * idle.
 */
function shareOf({ weight, failureFactor }: Candidate): number {
  return weight / failureFactor;
}

function totalOf(candidates: readonly Candidate[]): number {
  let total = 0;
  for (const candidate of candidates) total += shareOf(candidate);
  return total;
}
