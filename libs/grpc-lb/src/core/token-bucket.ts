import type { Clock } from './clock.js';

/** Refilling in small steps loses less than this. */
const ROUNDING = 1e-9;

/** Allows `size` at once, and after that one each `refillMs`. */
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

  /** Takes `cost` tokens if that many are left. */
  take(cost = 1): boolean {
    this.#refill();
    if (this.#tokens < cost - ROUNDING) return false;
    this.#tokens -= cost;
    return true;
  }

  /** Takes one, or what is left of it: for what happens anyway. */
  spend(): void {
    this.#refill();
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  /**
   * Takes tokens for work that is done already. More than are left is a debt, paid off before there is another token.
   */
  charge(cost: number): void {
    this.#refill();
    this.#tokens -= cost;
  }

  /** Milliseconds until there is one. */
  get wait(): number {
    this.#refill();
    return Math.max(0, (1 - this.#tokens) * this.refillMs);
  }

  #refill(): void {
    const now = this.clock.now();
    this.#tokens = Math.min(this.size, this.#tokens + (now - this.#at) / this.refillMs);
    this.#at = now;
  }
}
