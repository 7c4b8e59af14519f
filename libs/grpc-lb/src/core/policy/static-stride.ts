const MAX_WEIGHT = 65_535;
const OFFSET = Math.floor(MAX_WEIGHT / 2);

/**
 * Weights on the scale of 16 bits, the greatest at its end; undefined where they are all the same there, and plain round
 * robin does as well. None becomes 0: it would never get a call.
 */
export function scaledWeights(weights: readonly number[]): Uint16Array | undefined {
  const scale = MAX_WEIGHT / Math.max(...weights);
  const scaled = Uint16Array.from(weights, (weight) => Math.max(1, Math.round(scale * weight)));
  return scaled.every((weight) => weight === scaled[0]) ? undefined : scaled;
}

/**
 * The static stride scheduler of gRPC's other languages (gRFC A58): a counter goes over all endpoints again and again,
 * and each is taken in so many of 65535 rounds as its weight says, evenly spread. Nothing is kept but the counter, so
 * that new weights take over where the old ones were.
 */
export class Sequence {
  #next: number;

  /** @param start A random whole number of 32 bits, so that many clients do not march in step. */
  constructor(start: number) {
    this.#next = start >>> 0;
  }

  /** The next of `n`, all in turn. */
  inTurn(n: number): number {
    return this.#step() % n;
  }

  /** The next by weight. The greatest weight is never skipped, so this comes to an end within one round. */
  byWeight(weights: Uint16Array): number {
    const n = weights.length;
    for (;;) {
      const sequence = this.#step();
      const index = sequence % n;
      const generation = (sequence - index) / n;
      const weight = weights[index]!;
      // Two neighbours of the same weight are skipped in different rounds, thanks to the offset.
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
