import type { Clock } from '../clock.js';

const BUCKETS = 10;
const BUCKET_MS = 1000;

/**
 * Limits the retries and hedges of one client to a share of its calls, counted over ten seconds, plus a few per second
 * for clients with few calls (Finagle's `RetryBudget`).
 */
export class RetryBudget {
  /** Retries and hedges that it allowed since the start, and those that it did not. */
  granted = 0;
  denied = 0;
  readonly #calls = new Float64Array(BUCKETS);
  readonly #extras = new Float64Array(BUCKETS);
  #allCalls = 0;
  #allExtras = 0;
  #bucket: number;

  constructor(
    private readonly clock: Clock,
    /** Retries and hedges for each call, as in 0.2. */
    public ratio: number,
    /** Retries and hedges per second that are allowed in any case. */
    public minPerSecond: number,
  ) {
    this.#bucket = this.#currentBucket();
  }

  /** Called when a call starts. */
  called(): void {
    this.#advance();
    this.#calls[this.#bucket % BUCKETS]!++;
    this.#allCalls++;
  }

  /** Takes one retry or hedge out of the budget; returns whether there was one left. */
  take(): boolean {
    this.#advance();
    const allowed = this.ratio * this.#allCalls + (this.minPerSecond * BUCKETS * BUCKET_MS) / 1000;
    if (this.#allExtras + 1 > allowed) {
      this.denied++;
      return false;
    }
    this.granted++;
    this.#extras[this.#bucket % BUCKETS]!++;
    this.#allExtras++;
    return true;
  }

  #currentBucket(): number {
    return Math.floor(this.clock.now() / BUCKET_MS);
  }

  #advance(): void {
    const now = this.#currentBucket();
    const from = Math.max(this.#bucket, now - BUCKETS) + 1;
    for (let bucket = from; bucket <= now; bucket++) {
      const i = bucket % BUCKETS;
      this.#allCalls -= this.#calls[i]!;
      this.#allExtras -= this.#extras[i]!;
      this.#calls[i] = this.#extras[i] = 0;
    }
    this.#bucket = now;
  }
}
