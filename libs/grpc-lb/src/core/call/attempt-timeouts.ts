import type { Cancel, Clock } from '../clock.js';

/** The attempts of one call that may still exceed the attempt timeout. */
export class AttemptTimeouts<A> {
  readonly #timers = new Map<A, Cancel>();

  constructor(
    private readonly clock: Clock,
    /** Called with an attempt that has had no response in time. */
    private readonly exceeded: (attempt: A) => void,
  ) {}

  /** @param timeout Milliseconds from now to the first response. */
  start(attempt: A, timeout: number): void {
    this.#timers.set(
      attempt,
      this.clock.after(timeout, () => {
        this.#timers.delete(attempt);
        this.exceeded(attempt);
      }),
    );
  }

  /** Called when an attempt has a response, or has ended. */
  stop(attempt: A): void {
    this.#timers.get(attempt)?.();
    this.#timers.delete(attempt);
  }

  stopAll(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }
}
