/** A quantile of the most recent values, recomputed every few values. */
export class RecentQuantile {
  readonly #values: Float64Array;
  #count = 0;
  #quantile = Infinity;

  /** @param q From 0 to 1. */
  constructor(
    private readonly q: number,
    size: number,
    private readonly every: number,
  ) {
    this.#values = new Float64Array(size);
  }

  /** Infinity until there is a value. */
  get value(): number {
    return this.#quantile;
  }

  add(value: number): void {
    this.#values[this.#count % this.#values.length] = value;
    this.#count++;
    if (this.#count < this.#values.length || this.#count % this.every === 0) this.#update();
  }

  #update(): void {
    const values = this.#values.subarray(0, this.#count).toSorted();
    this.#quantile = values[Math.min(values.length - 1, Math.floor(this.q * values.length))]!;
  }
}
