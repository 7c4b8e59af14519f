import type { Cancel, Clock } from '../../core/clock.js';
import { jittered, type Random } from '../../core/random.js';

/** gRFC A9: jitters the maximum age by 10 %, so that connections opened together do not close together. */
const JITTER = 0.1;

/** Calls back when a connection has reached its maximum age. */
export class AgeTimer {
  #cancel: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly onAged: () => void,
  ) {}

  /** @param readyAt When the connection became ready, by the clock. */
  start(maxAge: number | undefined, readyAt: number): void {
    this.stop();
    if (maxAge === undefined) return;
    const left = jittered(this.random, maxAge, JITTER) - (this.clock.now() - readyAt);
    this.#cancel = this.clock.after(Math.max(0, left), this.onAged);
  }

  stop(): void {
    this.#cancel?.();
  }
}
