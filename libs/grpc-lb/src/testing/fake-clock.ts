import type { Cancel, Clock } from '../core/clock.js';

interface Timer {
  at: number;
  callback: () => void;
}

/** Time that moves only when the test says so. Timers due at the same time fire in the order in which they were set. */
export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(start = 0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer = { at: this.#now + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers are set: zero when everything has been closed. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer, or undefined if none is set. */
  get nextIn(): number | undefined {
    const next = this.#next();
    return next && next.at - this.#now;
  }

  /** Moves on by `ms`, firing what falls due on the way, each at its own time. A callback may advance the clock too. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let timer = this.#next(); timer && timer.at <= end; timer = this.#next()) {
      this.#now = timer.at;
      this.#timers.delete(timer);
      timer.callback();
    }
    // A callback may have moved on further.
    this.#now = Math.max(this.#now, end);
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (!next || timer.at < next.at) next = timer;
    return next;
  }
}
