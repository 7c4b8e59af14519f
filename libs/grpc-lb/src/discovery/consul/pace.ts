import type { Clock } from '../../core/clock.js';

const BURST = 10;
const INTERVAL_MS = 1000;

/**
 * Bounds queries as Consul's own documents demand, by a bucket of tokens: an agent that answers at once each time, for
 * whatever reason, is asked once a second, while changes that follow on each other are seen without delay.
 */
export class Pace {
  #tokens = BURST;
  #at: number;

  constructor(private readonly clock: Clock) {
    this.#at = clock.now();
  }

  /** Milliseconds until the next query may begin. */
  get wait(): number {
    return Math.max(0, 1 - this.#available()) * INTERVAL_MS;
  }

  take(): void {
    this.#tokens = Math.max(0, this.#available() - 1);
    this.#at = this.clock.now();
  }

  #available(): number {
    return Math.min(BURST, this.#tokens + (this.clock.now() - this.#at) / INTERVAL_MS);
  }
}
