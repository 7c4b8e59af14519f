import type { Peer } from './peer.js';

/** An endpoint without a result for this long does not count: its results are out of date. */
const CURRENT_MS = 5000;
/** Failures per endpoint after which the common failure rate is recomputed. */
const FAILURES_EACH = 1 / 8;
/** Standard deviations by which the average of an endpoint differs from the common rate by chance. */
const DEVIATIONS = 3;
/** The variance of a moving average with the weight 0.2 per result, divided by that of a single result. */
const VARIANCE = 0.2 / 1.8;

/** At this common failure rate the service is out for all. */
const OUTAGE = 0.5;
/** How long the end of an outage that all share may differ between endpoints. */
const RETURN_MS = 10_000;

/** The failure rate that most endpoints share, and that is therefore not the fault of a single one. */
export class CommonFailures {
  #common = 0;
  #allowed = 0;
  #comparable = false;
  #failures = Infinity;
  /** When the endpoints last failed together. */
  #outageAt = -Infinity;

  /** Whether all endpoints failed together a moment ago: they return one by one. */
  returning(now: number): boolean {
    return now - this.#outageAt <= RETURN_MS;
  }

  /** Whether that is so, and some do not fail any more. */
  ending(now: number): boolean {
    return this.#common < OUTAGE && this.returning(now);
  }

  get allowed(): number {
    return this.#allowed;
  }

  /** Whether there were at least two endpoints to compare. */
  get comparable(): boolean {
    return this.#comparable;
  }

  /** Makes the next check recompute the rate. */
  invalidate(): void {
    this.#failures = Infinity;
  }

  failed(): void {
    this.#failures++;
  }

  isDue(peers: readonly Peer[]): boolean {
    return this.#failures >= Math.max(1, peers.length * FAILURES_EACH);
  }

  /**
   * The lower median of the others is the same for all endpoints above it, and matters only to those: it is the second
   * lowest rate of five endpoints, the lowest of three.
   */
  update(peers: readonly Peer[], now: number): void {
    this.#failures = 0;
    const rates: number[] = [];
    for (const peer of peers) if (!peer.ejected && now - peer.recent.lastAt <= CURRENT_MS) rates.push(peer.failureRate);
    this.#comparable = rates.length >= 2;
    this.#common = rates.length < 2 ? 0 : rates.toSorted((a, b) => a - b)[(rates.length - 2) >> 1]!;
    this.#allowed = withChance(this.#common);
    if (this.#common >= OUTAGE) this.#outageAt = now;
  }
}

function withChance(share: number): number {
  return Math.min(1, share + DEVIATIONS * Math.sqrt(share * (1 - share) * VARIANCE));
}
