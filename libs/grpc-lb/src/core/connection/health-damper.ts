import type { Clock } from '../clock.js';
import { Coalescer } from '../coalescer.js';

/** Recoveries that are reported at once; after that, one per interval. */
const BURST = 5;
const INTERVAL_MS = 1000;

interface Answer {
  readonly health: 'serving' | 'not_serving';
  readonly reason: string | null;
}

/**
 * Limits how often a flapping server changes the picker: it reports "not serving" at once, but "serving" at a limited
 * rate, and the server counts as not serving in between. The last report always matches the server's last answer.
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
