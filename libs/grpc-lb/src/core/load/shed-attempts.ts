import type { CriticalityLevel } from '../call/criticality.js';

/** Attempts by the criticality of their calls; those that state none are `critical`. Levels without any are absent. */
export type AttemptsByCriticality = Readonly<Partial<Record<CriticalityLevel, number>>>;

/** An endpoint sheds load until it has shed nothing for this long. */
const OVER_AFTER_MS = 10_000;

/** What one endpoint has shed of a client's attempts. */
export class ShedAttempts {
  readonly counts: Partial<Record<CriticalityLevel, number>> = {};
  /** Whether it has been told that the endpoint sheds, and not yet that it does not. */
  #told = false;
  #lastAt = -Infinity;

  /** Returns whether it begins to shed load. */
  add(level: CriticalityLevel, now: number): boolean {
    this.counts[level] = (this.counts[level] ?? 0) + 1;
    this.#lastAt = now;
    const begins = !this.#told;
    this.#told = true;
    return begins;
  }

  /** Called when it has answered; returns whether it sheds no longer. */
  answered(now: number): boolean {
    if (!this.#told || this.sheds(now)) return false;
    this.#told = false;
    return true;
  }

  sheds(now: number): boolean {
    return now - this.#lastAt < OVER_AFTER_MS;
  }
}
