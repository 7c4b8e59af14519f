/** The weight of one result, and how fast past failures fade. */
const WEIGHT = 0.2;
const DECAY_MS = 5000;
/**
 * The same when an outage of all endpoints ends: one that returns later than others would get no calls for as long as
 * its failures take to fade, if the others are not busy.
 */
const ENDING_MS = 500;
/** Below this rate the endpoint counts as free of failures. */
const NEGLIGIBLE = 0.02;
/** Bounds the load multiplier, so that one success shows even for the worst endpoint. */
const MIN_SUCCESS = 0.02;
/**
 * The highest factor while an ejection is still possible. A higher factor would keep the endpoint from the few further
 * calls that decide: it would never be ejected, and would keep failing a call now and then.
 */
export const UNDECIDED_FACTOR = 2;

/**
 * The recent failure rate of one endpoint, and the load multiplier that follows from it: an endpoint that fails at once
 * always has the fewest calls in flight, and would attract the load of all the others.
 */
export class FailureRate {
  #rate = 0;
  #at = 0;

  /** @param ending Whether an outage of all endpoints is ending. */
  record(failed: boolean, now: number, ending = false): void {
    this.#rate = this.rate(now, ending);
    this.#rate += WEIGHT * ((failed ? 1 : 0) - this.#rate);
    this.#at = now;
  }

  reset(): void {
    this.#rate = 0;
  }

  /** From 0 to 1. Reading does not change it. */
  rate(now: number, ending = false): number {
    return this.#rate === 0 ? 0 : this.#rate * Math.exp((this.#at - now) / (ending ? ENDING_MS : DECAY_MS));
  }

  /**
   * Load multiplier for recent failures: `((1 - allowed) / (1 - rate))^2`, where `allowed` is the rate that the
   * endpoint may have without being worse than the others; 1 when healthy.
   */
  factor(now: number, allowed = 0, ending = false): number {
    const rate = this.rate(now, ending);
    if (rate < NEGLIGIBLE || rate <= allowed) return 1;
    return Math.max(1, (1 - allowed) / Math.max(MIN_SUCCESS, 1 - rate)) ** 2;
  }
}
