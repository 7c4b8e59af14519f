import { outside } from '../context/outside.js';

const FOREVER_MS = 2_147_483_647;

/**
 * Keeps the process alive while calls are active: while an attempt is in flight its connection does, but not while a
 * call is pending, or between two attempts.
 */
export class ActiveCalls {
  #count = 0;
  #closed = false;
  #hold: NodeJS.Timeout | undefined;

  started(): void {
    if (this.#count++ > 0 || this.#closed) return;
    if (this.#hold) this.#hold.ref();
    else this.#hold = outside(() => setInterval(() => {}, FOREVER_MS));
  }

  ended(): void {
    if (--this.#count === 0) this.#hold?.unref();
  }

  /** Calls in flight may still end, but hold the process no longer. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#hold);
    this.#hold = undefined;
  }
}
