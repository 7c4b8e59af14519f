import type { Shedder } from './shedder.js';

/** An episode is over after this long without a shed call. */
const OVER_AFTER_MS = 10_000;

interface EpisodeLog {
  warn(text: string): void;
  log(text: string): void;
}

/** Logs when a server begins to shed load, and when that is over: two lines however much is shed. */
export class SheddingEpisodes {
  #known = 0;
  #begun: { readonly at: number; readonly before: number } | undefined;
  #lastAt = 0;

  constructor(
    private readonly shedder: Pick<Shedder, 'total' | 'state'>,
    private readonly log: EpisodeLog,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Called again and again while calls arrive. */
  look(): void {
    const { total } = this.shedder;
    if (total === this.#known && !this.#begun) return;
    const now = this.now();
    if (total > this.#known) {
      if (!this.#begun) {
        this.#begun = { at: now, before: this.#known };
        const { limit, working } = this.shedder.state;
        this.log.warn(`Shedding load: ${working} calls are worked on, the limit for critical ones is ${limit}`);
      }
      this.#known = total;
      this.#lastAt = now;
    } else if (now - this.#lastAt >= OVER_AFTER_MS) {
      const { at, before } = this.#begun!;
      const seconds = Math.round((this.#lastAt - at) / 1000);
      this.log.log(`Load is no longer shed: ${total - before} calls were in ${seconds} s`);
      this.#begun = undefined;
    }
  }
}
