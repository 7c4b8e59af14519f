import type { Knobs } from 'demo-server/control';

/** Spread of the log of a duration. At 0.35 one call in a hundred takes about twice the mean. */
const SIGMA = 0.35;

/**
 * The meaning of the settings. A duration is log-normal, as in many real services, with the mean `delayMs * factor`; it
 * does not depend on the callers.
 */
export class Workload {
  readonly #knobs: Knobs;

  constructor(
    knobs: Knobs,
    private readonly random: () => number = Math.random,
  ) {
    this.#knobs = { delayMs: knobs.delayMs, factor: knobs.factor, errorRate: knobs.errorRate };
  }

  turn(knobs: Partial<Knobs>): void {
    Object.assign(this.#knobs, knobs);
  }

  durationMs(): number {
    // The mean of exp(σZ) is exp(σ²/2): divide it out, so that `delayMs` is the mean and not the median.
    const noise = Math.exp(SIGMA * this.#standardNormal() - SIGMA ** 2 / 2);
    return this.#knobs.delayMs * this.#knobs.factor * noise;
  }

  fails(): boolean {
    return this.random() < this.#knobs.errorRate;
  }

  /** Box and Muller, 1958. `1 - random()` keeps zero out of the logarithm. */
  #standardNormal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random());
  }
}
