import type { Cancel, Clock } from '../clock.js';
import { TokenBucket } from '../token-bucket.js';

/** So many recoveries are told at once, and after that one in this time. */
const BURST = 5;
const INTERVAL_MS = 1000;

interface Answer {
  readonly health: 'serving' | 'not_serving';
  readonly reason: string | null;
}

/**
 * Bounds how often a server that flaps changes anything: that it does not serve is told at once, that it serves again
 * only so often. Meanwhile it counts as not serving. What is told last is always what the server said last.
 */
export class HealthDamper {
  readonly #bucket: TokenBucket;
  #told: Answer | undefined;
  #latest: Answer | undefined;
  #cancel: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly tell: (health: Answer['health'], reason: string | null) => void,
  ) {
    this.#bucket = new TokenBucket(BURST, INTERVAL_MS, clock);
  }

  answer(health: Answer['health'], reason: string | null): void {
    this.#latest = { health, reason };
    if (!this.#isNews) return;
    const worse = health === 'not_serving' && this.#told?.health !== 'not_serving';
    if (worse) return this.#tellLatest();
    if (this.#cancel) return;
    if (this.#bucket.take()) this.#tellLatest();
    else this.#cancel = this.clock.after(this.#bucket.wait, this.#onTimer);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  get #isNews(): boolean {
    return this.#latest?.health !== this.#told?.health || this.#latest?.reason !== this.#told?.reason;
  }

  readonly #onTimer = (): void => {
    this.#cancel = undefined;
    if (!this.#isNews) return;
    this.#bucket.take();
    this.#tellLatest();
  };

  #tellLatest(): void {
    const { health, reason } = (this.#told = this.#latest!);
    this.tell(health, reason);
  }
}
