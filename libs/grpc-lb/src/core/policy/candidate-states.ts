import type { Random } from '../random.js';
import { chancesOf, Sample, FULL_SCAN_LIMIT, SAMPLE_SIZE } from './sample.js';
import { PerList } from './per-list.js';
import type { Candidate } from './policy.js';

/** The candidates of one list, as a policy sees them. */
export interface ListStates<S> {
  readonly sample: Sample;
  /** What is known of each candidate, in the order of the list. */
  readonly states: readonly S[];
}

/**
 * What a policy knows of each endpoint. It goes when the endpoint goes. The loop over the loads of a pick is written out in
 * each policy: a shared one would call functions of several, and be up to a quarter slower.
 */
export class CandidateStates<S> {
  readonly #states = new WeakMap<Candidate, S>();
  readonly #fields: PerList<ListStates<S>>;

  constructor(
    private readonly unknown: () => S,
    random: Random,
    sampleSize = SAMPLE_SIZE,
    fullScanLimit = FULL_SCAN_LIMIT,
  ) {
    this.#fields = new PerList((candidates) => ({
      sample: new Sample(candidates.length, choicesFor(candidates, sampleSize, fullScanLimit), random),
      states: candidates.map((candidate) => this.of(candidate)),
    }));
  }

  of(candidate: Candidate): S {
    let state = this.#states.get(candidate);
    if (state === undefined) this.#states.set(candidate, (state = this.unknown()));
    return state;
  }

  forList(candidates: readonly Candidate[]): ListStates<S> {
    return this.#fields.of(candidates);
  }

  /** The chance of each candidate to win by these loads. */
  chances(candidates: readonly Candidate[], load: (candidate: Candidate, state: S) => number): number[] {
    const { sample, states } = this.forList(candidates);
    return chancesOf(
      candidates.map((candidate, i) => load(candidate, states[i]!)),
      sample.size,
    );
  }
}

/** As in Envoy, endpoints with unequal weights are not sampled: the few that are heavy must not be missed. */
export function choicesFor(
  candidates: readonly Candidate[],
  sampleSize = SAMPLE_SIZE,
  fullScanLimit = FULL_SCAN_LIMIT,
): number {
  return candidates.length <= fullScanLimit || isWeighted(candidates) ? candidates.length : sampleSize;
}

export function isWeighted(candidates: readonly Candidate[]): boolean {
  return candidates.some((candidate) => candidate.weight !== candidates[0]!.weight);
}
