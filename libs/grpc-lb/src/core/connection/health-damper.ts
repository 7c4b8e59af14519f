import type { Clock } from '../clock.js';
import { Coalescer } from '../coalescer.js';

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
  #told: Answer | undefined;
  #latest: Answer | undefined;
  readonly #news: Coalescer;

  constructor(
    clock: Clock,
    private readonly tell: (health: Answer['health'], reason: string | null) => void,
  ) {
    this.#news = new Coalescer(BURST, INTERVAL_MS, clock, () => {
      if (this.#isNews) this.#tellLatest();
    });
  }

  answer(health: Answer['health'], reason: string | null): void {
    this.#latest = { health, reason };
    if (!this.#isNews) return;
    const worse = health === 'not_serving' && this.#told?.health !== 'not_serving';
    if (worse) this.#tellLatest();
    else this.#news.request();
  }

  stop(): void {
    this.#news.stop();
  }

  get #isNews(): boolean {
    return this.#latest?.health !== this.#told?.health || this.#latest?.reason !== this.#told?.reason;
  }

  #tellLatest(): void {
    const { health, reason } = (this.#told = this.#latest!);
    this.tell(health, reason);
  }
}
