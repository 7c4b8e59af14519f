import { backoffMs } from '../backoff.js';
import type { Random } from '../random.js';

/** A connection that has lived for so long was a good one, and is replaced at once. */
export const GOOD_AFTER_MS = 10_000;

export interface BackoffTimes {
  readonly initial: number;
  readonly max: number;
}

/** A connection that was ready and is lost. */
export interface LostConnection {
  readonly readyAt: number;
  /** The peer has answered a call on it. */
  readonly answered: boolean;
}

/**
 * How long an endpoint waits before it replaces a connection that was lost. A peer that accepts connections and closes
 * them again has a healthy backoff of connecting, as each attempt succeeds; so what counts is what became of them.
 */
export class ReconnectBackoff {
  /** Connections in a row that were lost soon and had answered nothing. */
  shortLived = 0;
  #lostAt = -Infinity;

  constructor(
    private readonly random: Random,
    private readonly times: BackoffTimes,
  ) {}

  /** Milliseconds until the next attempt. The first is made at once: a process that restarts is common. */
  lost({ readyAt, answered }: LostConnection, now: number): number {
    if (answered || now - readyAt >= GOOD_AFTER_MS) this.shortLived = 0;
    // Of several that are lost together each is not a failure of its own: only the loss of a replacement is another.
    else if (readyAt >= this.#lostAt) this.shortLived++;
    this.#lostAt = now;
    if (this.shortLived <= 1) return 0;
    const { initial, max } = this.times;
    return backoffMs(this.shortLived - 2, max, this.random, initial);
  }
}
