import type { WireAttempt } from './wire-attempt.js';

/**
 * Reads on after the only response of a call, to notice a second one: grpc-js's client does not ask for it, and one that
 * is not read would hold back the status until the deadline. Most calls have their status in the same turn of the event
 * loop, and need no second read, which costs as much as the rest of this package's work for a call.
 */
export class SecondReads {
  #attempts: WireAttempt[] = [];

  add(attempt: WireAttempt): void {
    if (this.#attempts.push(attempt) === 1) setImmediate(() => this.#read());
  }

  #read(): void {
    const attempts = this.#attempts;
    this.#attempts = [];
    for (const attempt of attempts) if (attempt.status === undefined) attempt.startRead();
  }
}
