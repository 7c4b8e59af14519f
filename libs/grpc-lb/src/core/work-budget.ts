import type { Clock } from './clock.js';

export interface WorkRate {
  /** Units of work that may be done at once after a rest. */
  readonly burst: number;
  /** Units a millisecond in the long run. */
  readonly perMs: number;
}

/**
 * Bounds the work that others can cause: what they send within the pause that a piece of work costs is done in one, later.
 * The pause grows with the work, so that small work is done at once and large work takes a bounded share of the time.
 */
export class WorkBudget {
  #left: number;
  #at: number;

  constructor(
    private readonly clock: Clock,
    private readonly rate: WorkRate,
  ) {
    this.#left = rate.burst;
    this.#at = clock.now();
  }

  /** Milliseconds until there may be work again. */
  get wait(): number {
    return Math.max(0, -this.#available()) / this.rate.perMs;
  }

  /** Tells of work that was done; more than there is may be taken, and is waited for afterwards. */
  take(units: number): void {
    this.#left = this.#available() - units;
    this.#at = this.clock.now();
  }

  #available(): number {
    const { burst, perMs } = this.rate;
    return Math.min(burst, this.#left + (this.clock.now() - this.#at) * perMs);
  }
}
