import { jittered, type Random } from '../random.js';

/** The bounds of grpc's own connection backoff, scaled down: gRFC A17 and A51 ask for "exponential backoff". */
const FIRST_MS = 1000;
const LAST_MS = 30_000;
const FACTOR = 1.6;
const JITTER = 0.2;
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
    return jittered(this.random, Math.min(LAST_MS, FIRST_MS * FACTOR ** this.#ends++), JITTER);
  }
}
