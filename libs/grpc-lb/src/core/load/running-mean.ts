/** The weight of a new value; the first values weigh more. */
const STEP = 0.02;

/** A moving mean that forgets old values. */
export class RunningMean {
  #value = 0;
  #count = 0;

  /** 0 before the first value. */
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
