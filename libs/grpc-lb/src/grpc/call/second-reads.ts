import type { WireAttempt } from './wire-attempt.js';

/**
 * Reads on after the only response of a call, to notice a second one: grpc-js's client does not ask for it, and one that
 * is not read would hold back the status until the deadline. Most calls have their status in the same turn of the event
 * loop, and need no second read, which costs as much as the rest of this package's work for a call.
 */
export class SecondReads {
  readonly #attempts: WireAttempt[] = [];

  add(attempt: WireAttempt): void {
    if (this.#attempts.push(attempt) === 1) setImmediate(this.#read);
  }

  readonly #read = (): void => {
    // One by one, because an array that is emptied at once gives up its memory.
    for (let attempt; (attempt = this.#attempts.pop());) if (attempt.status === undefined) attempt.startRead();
  };
}
