import { backoffMs } from '../backoff.js';
import type { Random } from '../random.js';

/** A connection that lived for this long was a good one, and is replaced at once. */
export const GOOD_AFTER_MS = 10_000;

export interface BackoffTimes {
  readonly initial: number;
  readonly max: number;
}

/** A connection that was ready and has been lost. */
export interface LostConnection {
  readonly readyAt: number;
  /** Whether the peer has answered a call on it. */
  readonly answered: boolean;
}

/**
 * How long an endpoint waits before it replaces a lost connection. If a peer accepts connections and closes them again,
 * the connection backoff does not grow, because each attempt succeeds; so this backoff counts how connections end.
 */
export class ReconnectBackoff {
  /** Consecutive connections that were lost early and without an answer. */
  shortLived = 0;
  /** When the last loss counted, for better or worse. */
  #countedAt = -Infinity;

  constructor(
    private readonly random: Random,
    private readonly times: BackoffTimes,
  ) {}

  /** Milliseconds until the next attempt. The first attempt is immediate: a restart of the process is common. */
  lost({ readyAt, answered }: LostConnection, now: number): number {
    const good = answered || now - readyAt >= GOOD_AFTER_MS;
    // Connections that are lost together count as one failure: only the loss of a younger one counts again.
    if (good || readyAt >= this.#countedAt) {
      this.shortLived = good ? 0 : this.shortLived + 1;
      this.#countedAt = now;
    }
    if (this.shortLived <= 1) return 0;
    const { initial, max } = this.times;
    return backoffMs(this.shortLived - 2, max, this.random, initial);
  }
}
