import type { Clock } from '../clock.js';
import { Coalescer } from '../coalescer.js';

/** The assumed limit of a peer whose limit cannot be read, as most servers allow at least this (RFC 9113, 6.5.2). */
const ASSUMED = 100;
/** A peer may announce new limits at any rate: this many are reported at once, and then one per interval. */
const BURST = 5;
const INTERVAL_MS = 1000;

/** How many concurrent calls one connection carries at most. */
export class StreamLimit {
  calls = ASSUMED;
  /** How many streams the peer allows; undefined if unknown. */
  peer: number | undefined;
  #configured: number | undefined;
  #watches = 0;
  readonly #news: Coalescer;

  constructor(
    clock: Clock,
    /** Called when the peer has announced another limit. `calls` is updated at once; this callback is rate-limited. */
    changed: () => void,
  ) {
    this.#news = new Coalescer(BURST, INTERVAL_MS, clock, changed);
  }

  configure(configured: number | undefined): void {
    this.#configured = configured;
    this.#update();
  }

  /** Sets the limit that the peer announced when it connected. */
  begin(peer: number | undefined): void {
    this.peer = peer;
    this.#update();
  }

  /** Called when the peer has sent its settings again. */
  announced(peer: number): void {
    if (peer === this.peer) return;
    this.begin(peer);
    this.#news.request();
  }

  /** Sets how many of the peer's streams the watches take. */
  watched(streams: number): void {
    this.#watches = streams;
    this.#update();
  }

  stop(): void {
    this.#news.stop();
  }

  #update(): void {
    const allowed = Math.min(this.peer ?? this.#configured ?? ASSUMED, this.#configured ?? Infinity);
    // A peer that allows no streams now may allow some later.
    this.calls = Math.max(0, Math.min(allowed, (this.peer ?? Infinity) - this.#watches));
  }
}
