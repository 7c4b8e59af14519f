import { type Random, randomBelow } from '../random.js';

/**
 * Up to this number all endpoints are compared for each call: in the simulator a full scan always beats a sample, and
 * at 100 endpoints it costs a quarter of a microsecond.
 */
export const FULL_SCAN_LIMIT = 100;
/** The sample size above that. */
export const SAMPLE_SIZE = 5;

/**
 * Which of `n` candidates are compared for a call, and which of them has the lowest load. A policy renews the sample,
 * fills in the loads, and asks for the lowest. Allocates nothing.
 */
export class Sample {
  /** Indexes of the candidates in arbitrary order; the first `size` are compared. */
  readonly indexes: Uint32Array;
  /** The load of each candidate in the sample, in its order. */
  readonly loads: Float64Array;

  constructor(
    private readonly n: number,
    /** How many candidates are compared; all if at least `n`. */
    choices: number,
    private readonly random: Random,
  ) {
    this.size = Math.min(n, choices);
    this.indexes = Uint32Array.from({ length: n }, (_, i) => i);
    this.loads = new Float64Array(this.size);
  }

  readonly size: number;

  /**
   * gRPC and Envoy sample with replacement, so that of two hosts the busy one still gets a quarter of the calls
   * (envoy#14859); like Finagle and tower, this samples distinct candidates. A partial shuffle of any order is an
   * unbiased sample, so the order is never reset.
   */
  renew(): void {
    const { indexes, n, size } = this;
    if (size === n) return;
    for (let i = 0; i < size; i++) {
      const drawn = i + randomBelow(this.random, n - i);
      const index = indexes[drawn]!;
      indexes[drawn] = indexes[i]!;
      indexes[i] = index;
    }
  }

  /** The index of the candidate with the lowest load. Ties are broken evenly. */
  lowest(): number {
    const { indexes, loads, size } = this;
    let best = 0;
    let least = loads[0]!;
    let ties = 1;
    for (let k = 1; k < size; k++) {
      const load = loads[k]!;
      if (load < least) {
        best = k;
        least = load;
        ties = 1;
      } else if (load === least) ties++;
    }
    // gRFC A48: the challenger wins only on strictly fewer. A sample is in random order, so that is fair.
    if (ties === 1 || size < this.n) return indexes[best]!;
    for (let skip = randomBelow(this.random, ties); skip > 0;) if (loads[++best] === least) skip--;
    return indexes[best]!;
  }
}

/** The chance of each candidate to win when `choices` random candidates are compared by these loads. */
export function chancesOf(loads: readonly number[], choices: number): number[] {
  const n = loads.length;
  const size = Math.min(choices, n);
  /** The chance that a sample contains only candidates from a group of size `group`. */
  const allFrom = (group: number): number => {
    let chance = 1;
    for (let i = 0; i < size; i++) chance *= Math.max(0, group - i) / (n - i);
    return chance;
  };
  const sorted = Float64Array.from(loads).toSorted();
  const chanceOf = new Map<number, number>();
  for (let lower = 0; lower < n;) {
    const load = sorted[lower]!;
    let end = lower + 1;
    while (end < n && sorted[end] === load) end++;
    // This load is the lowest if no candidate of the sample has a lower one and at least one has it; ties are even.
    chanceOf.set(load, (allFrom(n - lower) - allFrom(n - end)) / (end - lower));
    lower = end;
  }
  return loads.map((load) => chanceOf.get(load)!);
}
