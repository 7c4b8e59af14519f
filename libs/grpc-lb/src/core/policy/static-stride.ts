const MAX_WEIGHT = 65_535;
const OFFSET = Math.floor(MAX_WEIGHT / 2);

/**
 * Scales weights to 16 bits, with the greatest at the maximum; undefined if all are equal then, so that plain round
 * robin suffices. No weight becomes 0, because that endpoint would never get a call.
 */
export function scaledWeights(weights: readonly number[]): Uint16Array | undefined {
  const scale = MAX_WEIGHT / Math.max(...weights);
  const scaled = Uint16Array.from(weights, (weight) => Math.max(1, Math.round(scale * weight)));
  return scaled.every((weight) => weight === scaled[0]) ? undefined : scaled;
}

/**
 * The static stride scheduler of gRPC's other languages (gRFC A58): a counter cycles over all endpoints, and each is
 * picked in as many of 65535 rounds as its weight, evenly spread. The counter is the only state, so new weights
 * continue at the position of the old ones.
 */
export class Sequence {
  #next: number;

  /** @param start A random 32-bit whole number, so that clients do not move in step. */
  constructor(start: number) {
    this.#next = start >>> 0;
  }

  /** The next of `n`, in turn. */
  inTurn(n: number): number {
    return this.#step() % n;
  }

  /** The next by weight. The greatest weight is never skipped, so the loop ends within one round. */
  byWeight(weights: Uint16Array): number {
    const n = weights.length;
    for (;;) {
      const sequence = this.#step();
      const index = sequence % n;
      const generation = (sequence - index) / n;
      const weight = weights[index]!;
      // The offset makes two neighbors of the same weight skip different rounds.
      const mod = (weight * generation + index * OFFSET) % MAX_WEIGHT;
      if (mod >= MAX_WEIGHT - weight) return index;
    }
  }

  #step(): number {
    const sequence = this.#next;
    this.#next = (sequence + 1) >>> 0;
    return sequence;
  }
}
