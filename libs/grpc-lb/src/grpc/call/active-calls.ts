import { outside } from '../context/outside.js';

const FOREVER_MS = 2_147_483_647;

/** Is told when calls become active, and when none is any more. */
export interface ActivityListener {
  busy(): void;
  free(): void;
}

/**
 * Keeps the process alive while calls are active: while an attempt is in flight its connection does, but not while a
 * call is pending, or between two attempts.
 */
export class ActiveCalls {
  /** Is told while the client is open; undefined for nothing. */
  listener: ActivityListener | undefined;
  #count = 0;
  #closed = false;
  #hold: NodeJS.Timeout | undefined;

  started(): void {
    if (this.#count++ > 0 || this.#closed) return;
    if (this.#hold) this.#hold.ref();
    else this.#hold = outside(() => setInterval(() => {}, FOREVER_MS));
    this.listener?.busy();
  }

  ended(): void {
    if (--this.#count > 0 || this.#closed) return;
    this.#hold?.unref();
    this.listener?.free();
  }

  /** Calls in flight may still end, but hold the process no longer. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#hold);
    this.#hold = undefined;
  }
}
