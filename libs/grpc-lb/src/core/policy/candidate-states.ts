import type { Random } from '../random.js';
import { chancesOf, Sample, FULL_SCAN_LIMIT, SAMPLE_SIZE } from './sample.js';
import { PerList } from './per-list.js';
import type { Candidate } from './policy.js';

/** The candidates of one list, as a policy sees them. */
export interface ListStates<S> {
  readonly sample: Sample;
  /** The state of each candidate, in the order of the list. */
  readonly states: readonly S[];
}

/**
 * The state that a policy keeps for each endpoint, collected with the endpoint. Each policy writes out its own loop
 * over the loads of a pick: a shared loop would be megamorphic, and up to a quarter slower.
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

  /** The chance of each candidate to win with these loads. */
  chances(candidates: readonly Candidate[], load: (candidate: Candidate, state: S) => number): number[] {
    const { sample, states } = this.forList(candidates);
    return chancesOf(
      candidates.map((candidate, i) => load(candidate, states[i]!)),
      sample.size,
    );
  }
}

/** As in Envoy, endpoints with unequal weights are not sampled, because a sample would miss the few heavy ones. */
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
