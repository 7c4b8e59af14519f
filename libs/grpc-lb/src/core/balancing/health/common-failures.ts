import type { Peer } from './peer.js';

/** An endpoint without a result for longer says nothing about now. */
const CURRENT_MS = 5000;
/** The share that all have in common is worked out again after so many failures for each endpoint. */
const FAILURES_EACH = 1 / 8;
/** Standard deviations by which the remembered share of an endpoint differs from the common one by chance. */
const DEVIATIONS = 3;
/** The variance of a moving average that gives a result the weight 0.2, over that of a single result. */
const VARIANCE = 0.2 / 1.8;

/** The share of failures that is nothing of a single endpoint, as most of the others have it too. */
export class CommonFailures {
  #allowed = 0;
  #failures = Infinity;

  get allowed(): number {
    return this.#allowed;
  }

  /** Something has changed; it is worked out at the next look. */
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
   * The lower median of the others is the same for all that are above it, and only to those it matters: of five endpoints
   * the second lowest share, of three the lowest.
   */
  update(peers: readonly Peer[], now: number): void {
    this.#failures = 0;
    const rates: number[] = [];
    for (const peer of peers) if (!peer.ejected && now - peer.recent.lastAt <= CURRENT_MS) rates.push(peer.failureRate);
    this.#allowed = rates.length < 2 ? 0 : withChance(rates.toSorted((a, b) => a - b)[(rates.length - 2) >> 1]!);
  }
}

function withChance(share: number): number {
  return Math.min(1, share + DEVIATIONS * Math.sqrt(share * (1 - share) * VARIANCE));
}
