/** How much one result counts, and how fast the memory of failures fades. */
const WEIGHT = 0.2;
const DECAY_MS = 5000;
/** Below this the endpoint is as good as any. */
const NEGLIGIBLE = 0.02;
/** However bad it is, one success must show. */
const MIN_SUCCESS = 0.02;
/**
 * The highest factor while an ejection may still come. A higher one would keep the endpoint from the few calls more that
 * decide: it would never be ejected, and go on to fail a call now and then.
 */
export const UNDECIDED_FACTOR = 2;

/**
 * The recent share of failures of one endpoint, and what it costs in a choice by load: an endpoint that fails at once
 * always has the fewest calls in flight, and would attract the load of all the others.
 */
export class FailureRate {
  #rate = 0;
  #at = 0;

  record(failed: boolean, now: number): void {
    this.#rate = this.rate(now);
    this.#rate += WEIGHT * ((failed ? 1 : 0) - this.#rate);
    this.#at = now;
  }

  reset(): void {
    this.#rate = 0;
  }

  /** From 0 to 1. Reading does not change it. */
  rate(now: number): number {
    return this.#rate * Math.exp((this.#at - now) / DECAY_MS);
  }

  /**
   * What the load of the endpoint is multiplied with: `((1 - allowed) / (1 - rate))^2`, where `allowed` is what it may fail
   * without being worse than the others; 1 when healthy.
   */
  factor(now: number, allowed = 0): number {
    const rate = this.rate(now);
    if (rate < NEGLIGIBLE || rate <= allowed) return 1;
    return Math.max(1, (1 - allowed) / Math.max(MIN_SUCCESS, 1 - rate)) ** 2;
  }
}
