import type { Cancel, Clock } from '../../clock.js';
import { jittered, type Random } from '../../random.js';
import type { Link } from './link.js';

/** Endpoints that are dialed at a time: one is enough to end an outage, and thousands of attempts are expensive. */
const AT_ONCE = 8;
const JITTER = 0.2;
/** They are not dialed more often, however short the backoff is that the user has set: each dial may be a handshake. */
const MIN_INTERVAL_MS = 50;
/** How long endpoints that are not back yet are dialed after the first one is. */
const RETURNING_MS = 30_000;

type Dialed = Pick<Link<never>, 'dialNow' | 'usable'>;

/**
 * Dials endpoints while calls fail because none is connected, and then those that are not back yet. In an outage of
 * seconds their backoffs grow to seconds: calls would go on failing for that long after the first endpoint is back, and
 * those that are back would carry the calls of the others.
 */
export class OutageDials {
  #next = -Infinity;
  #turn = 0;
  /** Milliseconds between two dials; undefined if no call has failed. */
  #interval: number | undefined;
  #cancel: Cancel | undefined;

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
   * @param wanted Milliseconds until others, or the same again, may be dialed, ± 20 %; at least 50.
   */
  dial(links: readonly Dialed[], wanted: number): void {
    const interval = Math.max(wanted, MIN_INTERVAL_MS);
    this.#interval = interval;
    this.#next = this.clock.now() + jittered(this.random, interval, JITTER);
    const count = Math.min(AT_ONCE, links.length);
    for (let i = 0; i < count; i++) links[(this.#turn + i) % links.length]!.dialNow();
    this.#turn = (this.#turn + count) % Math.max(1, links.length);
  }

  /** Called when the first endpoint is back. Goes on dialing the others, if calls have failed. */
  goOn(links: () => readonly Dialed[], until = this.clock.now() + RETURNING_MS): void {
    this.#cancel?.();
    if (this.#interval === undefined) return;
    const interval = this.#interval;
    this.#cancel = this.clock.after(jittered(this.random, interval, JITTER), () => {
      const missing = links().filter(({ usable }) => !usable);
      if (missing.length === 0 || this.clock.now() >= until) return this.#stop();
      this.dial(missing, interval);
      this.goOn(links, until);
    });
  }

  close(): void {
    this.#cancel?.();
  }

  #stop(): void {
    this.#interval = undefined;
  }
}
