import { backoffMs } from '../backoff.js';
import type { Random } from '../random.js';

/** gRFC A17 and A51 ask for "exponential backoff"; gRPC's connection backoff grows up to two minutes. */
const MAX_MS = 30_000;
/**
 * A watch that was answered and lived this long has worked; its end is a single cut of a quiet stream, as by a proxy.
 */
const STEADY_MS = 10_000;

/**
 * How long a watch waits before it is reopened. gRFC A17 and A51 say "immediately" after an answer; a server that
 * answers once and ends the stream would then cause a flood of calls, so a wait follows every end.
 */
export class WatchBackoff {
  #ends = 0;

  constructor(private readonly random: Random) {}

  isSteady(answered: boolean, livedMs: number): boolean {
    return answered && livedMs >= STEADY_MS;
  }

  /** Returns milliseconds; `steady` resets the backoff. */
  next(steady: boolean): number {
    if (steady) this.#ends = 0;
    return backoffMs(this.#ends++, MAX_MS, this.random);
  }
}
