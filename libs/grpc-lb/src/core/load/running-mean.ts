/** How much a value moves the mean; the first ones move it more. */
const STEP = 0.02;

/** What is usual: a mean that forgets. */
export class RunningMean {
  #value = 0;
  #count = 0;

  /** 0 until there is something. */
  get value(): number {
    return this.#value;
  }

  get known(): boolean {
    return this.#count > 0;
  }

  record(value: number): void {
    this.#count++;
    this.#value += Math.max(STEP, 1 / this.#count) * (value - this.#value);
  }
}
