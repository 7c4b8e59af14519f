import type { Clock } from '../../clock.js';
import { jittered, type Random } from '../../random.js';
import type { Link } from './link.js';

/** Endpoints that are dialed at a time: one is enough to end an outage, and thousands of attempts are expensive. */
const AT_ONCE = 8;
const JITTER = 0.2;

/**
 * Dials endpoints while calls fail because none is connected. In an outage of seconds their backoffs grow to seconds,
 * and calls would go on failing for that long after the first endpoint is back.
 */
export class OutageDials {
  #next = -Infinity;
  #turn = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** Whether the last endpoints were dialed long enough ago. */
  get due(): boolean {
    return this.clock.now() >= this.#next;
  }

  /**
   * Dials the next few endpoints; one that is connecting is left alone.
   *
   * @param interval Milliseconds until others, or the same again, may be dialed, ± 20 %.
   */
  dial(links: readonly Pick<Link<never>, 'dialNow'>[], interval: number): void {
    this.#next = this.clock.now() + jittered(this.random, interval, JITTER);
    const count = Math.min(AT_ONCE, links.length);
    for (let i = 0; i < count; i++) links[(this.#turn + i) % links.length]!.dialNow();
    this.#turn = (this.#turn + count) % Math.max(1, links.length);
  }
}
