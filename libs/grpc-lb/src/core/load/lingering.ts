import type { Cancel, Clock } from '../clock.js';

/** What ends within so many milliseconds ends together: one timer for all of it. */
const STEP_MS = 10;
/** Longer than most calls take, and short enough that what is remembered stays little. */
export const LONGEST_MS = 60_000;

/** Something whose load counts calls that have ended. */
export interface Lingered {
  /** With what lingers. */
  inFlight: number;
  lingering: number;
}

/**
 * Calls that have ended and still count as load. An endpoint that answers at once, as none of the others does, never has
 * a call in flight, and would attract those of all the others.
 */
export class Lingering<E extends Lingered> {
  /** By the time at which they end. */
  readonly #ending = new Map<number, { readonly counts: Map<E, number>; readonly cancel: Cancel }>();
  #closed = false;

  constructor(private readonly clock: Clock) {}

  /** A call that has just ended counts for so many milliseconds more. */
  hold(endpoint: E, milliseconds: number): void {
    if (this.#closed || !(milliseconds > 0)) return;
    const now = this.clock.now();
    const end = Math.ceil((now + Math.min(milliseconds, LONGEST_MS)) / STEP_MS) * STEP_MS;
    let ending = this.#ending.get(end);
    if (!ending) {
      ending = { counts: new Map(), cancel: this.clock.after(end - now, () => this.#release(end)) };
      this.#ending.set(end, ending);
    }
    ending.counts.set(endpoint, (ending.counts.get(endpoint) ?? 0) + 1);
    endpoint.inFlight++;
    endpoint.lingering++;
  }

  /** Calls may end after that; nobody chooses by their load any more. */
  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#ending.values()) cancel();
    for (const end of this.#ending.keys()) this.#release(end);
  }

  #release(end: number): void {
    for (const [endpoint, count] of this.#ending.get(end)!.counts) {
      endpoint.inFlight -= count;
      endpoint.lingering -= count;
    }
    this.#ending.delete(end);
  }
}
