import type { Cancel, Clock } from '../../core/clock.js';

/** setTimeout's maximum. A later deadline counts as none, as in grpc-js. */
const MAX_TIMER_MS = 2_147_483_647;

/** The deadline of a call, and when its attempts were placed and sent, in milliseconds since the epoch. */
export class CallTimes {
  /** When the last attempt began to wait for an endpoint. */
  attemptAt = 0;
  /** When it was sent; undefined if it waits. */
  sentAt: number | undefined;
  /** Whether something asks for these two: the text of a deadline, or an observer. */
  #kept: boolean;
  #cancel: Cancel | undefined;

  constructor(
    readonly startedAt: number,
    /** Infinity for none. */
    readonly deadline: number,
  ) {
    this.#kept = deadline !== Infinity;
  }

  get left(): number {
    return this.deadline - Date.now();
  }

  /** Keeps the times of attempts for an observer. */
  keep(): void {
    this.#kept = true;
  }

  placing(): void {
    if (this.#kept) this.attemptAt = Date.now();
    this.sentAt = undefined;
  }

  sent(): void {
    if (this.#kept) this.sentAt = Date.now();
  }

  /** Calls back when the deadline passes, at once if it has passed or is NaN; returns whether it has not. */
  watch(clock: Clock, passed: () => void): boolean {
    const { left } = this;
    if (!(left > 0)) {
      passed();
      return false;
    }
    if (left <= MAX_TIMER_MS) this.#cancel = clock.after(left, passed);
    return true;
  }

  stop(): void {
    this.#cancel?.();
  }
}
