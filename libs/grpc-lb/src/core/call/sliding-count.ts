/** A count of what happened within a sliding window, in slices of equal length. */
export class SlidingCount {
  total = 0;
  readonly #slices: Float64Array;
  /** The number of the newest slice, counted from time 0. */
  #newest = 0;

  constructor(slices: number) {
    this.#slices = new Float64Array(slices);
  }

  /**
   * Drops what has left the window. Call it before the others.
   *
   * @param slice The number of the current slice.
   */
  turnTo(slice: number): void {
    const { length } = this.#slices;
    for (let each = Math.max(this.#newest, slice - length) + 1; each <= slice; each++) {
      this.total -= this.#slices[each % length]!;
      this.#slices[each % length] = 0;
    }
    if (slice > this.#newest) this.#newest = slice;
  }

  add(): void {
    this.#slices[this.#newest % this.#slices.length]!++;
    this.total++;
  }

  clear(): void {
    this.#slices.fill(0);
    this.total = 0;
  }
}
