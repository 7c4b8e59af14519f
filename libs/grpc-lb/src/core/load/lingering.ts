import type { Cancel, Clock } from '../clock.js';

/** Calls that stop counting within the same step share one timer. */
const STEP_MS = 10;
/** Longer than most calls take, and short enough to bound the number of lingering calls. */
export const LONGEST_MS = 60_000;

/** An endpoint whose load includes calls that have ended. */
export interface Lingered {
  /** Includes lingering calls. */
  inFlight: number;
  lingering: number;
}

/**
 * Counts calls that have ended as load for a while. An endpoint that answers at once, unlike the others, never has a
 * call in flight, and would attract the calls of all the others.
 */
export class Lingering<E extends Lingered> {
  /** Keyed by the time at which the calls stop counting. */
  readonly #ending = new Map<number, { readonly counts: Map<E, number>; readonly cancel: Cancel }>();
  #closed = false;

  constructor(private readonly clock: Clock) {}

  /** Counts a call that has just ended for this many milliseconds more. */
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

  /** Releases all lingering calls; calls that end later do not linger. */
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
