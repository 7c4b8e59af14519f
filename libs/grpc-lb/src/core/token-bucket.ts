import type { Clock } from './clock.js';

/** The rounding error of many small refills is below this. */
const ROUNDING = 1e-9;

/** Allows `size` at once, and then one per `refillMs`. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  constructor(
    private readonly size: number,
    private readonly refillMs: number,
    private readonly clock: Clock,
  ) {
    this.#tokens = size;
    this.#at = clock.now();
  }

  /** Takes `cost` tokens if enough are left; returns whether it did. */
  take(cost = 1): boolean {
    this.#refill();
    if (this.#tokens < cost - ROUNDING) return false;
    this.#tokens -= cost;
    return true;
  }

  /** Takes one token, or the remaining fraction, for an action that happens in any case. */
  spend(): void {
    this.#refill();
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  /** Takes tokens for work that is already done. A shortfall is a debt, which refills pay off first. */
  charge(cost: number): void {
    this.#refill();
    this.#tokens -= cost;
  }

  /** Milliseconds until a token is available. */
  get wait(): number {
    this.#refill();
    return this.#tokens >= 1 - ROUNDING ? 0 : (1 - this.#tokens) * this.refillMs;
  }

  #refill(): void {
    const now = this.clock.now();
    this.#tokens = Math.min(this.size, this.#tokens + (now - this.#at) / this.refillMs);
    this.#at = now;
  }
}
