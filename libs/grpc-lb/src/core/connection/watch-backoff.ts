import { backoffMs } from '../backoff.js';
import type { Random } from '../random.js';

/** gRFC A17 and A51 ask for "exponential backoff"; connections of gRPC go up to two minutes. */
const MAX_MS = 30_000;
/** A watch that was answered and lived so long has worked; its end is one cut of a quiet stream, as by a proxy. */
const STEADY_MS = 10_000;

/**
 * How long a watch waits before it is opened again. gRFC A17 and A51 say "immediately" after an answer; with servers
 * that answer once and end the stream that would be a flood of calls, so that every end is followed by a wait.
 */
export class WatchBackoff {
  #ends = 0;

  constructor(private readonly random: Random) {}

  isSteady(answered: boolean, livedMs: number): boolean {
    return answered && livedMs >= STEADY_MS;
  }

  /** Milliseconds; `steady` starts the growth anew. */
  next(steady: boolean): number {
    if (steady) this.#ends = 0;
    return backoffMs(this.#ends++, MAX_MS, this.random);
  }
}
