import type { Random } from '../../core/random.js';

const SECOND_MS = 1000;

/**
 * Takes at most about `maxPerSecond` of the calls, at random: each has the chance that the rate of the last second
 * suggests.
 */
export class Sampler {
  #share = 1;
  #secondBegan = -Infinity;
  #seen = 0;
  #taken = 0;

  constructor(
    private readonly maxPerSecond: number,
    private readonly random: Random = Math.random,
  ) {}

  /** The share of the calls that are taken at the moment, from 0 to 1. */
  get share(): number {
    return this.#share;
  }

  take(now: number): boolean {
    if (now - this.#secondBegan >= SECOND_MS) this.#nextSecond(now);
    this.#seen++;
    // A burst that follows a quiet second is cut off.
    if (this.#taken >= this.maxPerSecond) return false;
    if (this.#share < 1 && this.random() >= this.#share) return false;
    this.#taken++;
    return true;
  }

  #nextSecond(now: number): void {
    const perSecond = (this.#seen * SECOND_MS) / Math.max(SECOND_MS, now - this.#secondBegan);
    this.#share = Math.min(1, this.maxPerSecond / Math.max(1, perSecond));
    this.#secondBegan = now;
    this.#seen = 0;
    this.#taken = 0;
  }
}
