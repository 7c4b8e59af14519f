import type { Clock } from '../clock.js';
import { Coalescer } from '../coalescer.js';

/** What is assumed of a peer whose limit cannot be read, as most servers allow at least this (RFC 9113, 6.5.2). */
const ASSUMED = 100;
/** A peer may announce other limits as often as it likes: so many are told at once, and then one in each interval. */
const BURST = 5;
const INTERVAL_MS = 1000;

/** How many calls one connection carries at most at the same time. */
export class StreamLimit {
  calls = ASSUMED;
  /** How many streams the peer allows; undefined where that cannot be read. */
  peer: number | undefined;
  #configured: number | undefined;
  #watches = 0;
  readonly #news: Coalescer;

  constructor(
    clock: Clock,
    /** The peer has announced another limit. `calls` is exact at once; this comes only so often. */
    changed: () => void,
  ) {
    this.#news = new Coalescer(BURST, INTERVAL_MS, clock, changed);
  }

  configure(configured: number | undefined): void {
    this.#configured = configured;
    this.#update();
  }

  /** What the peer allowed when it was connected. */
  begin(peer: number | undefined): void {
    this.peer = peer;
    this.#update();
  }

  /** The peer has sent its settings once more. */
  announced(peer: number): void {
    if (peer === this.peer) return;
    this.begin(peer);
    this.#news.request();
  }

  /** So many of the peer's streams are taken by watches. */
  watched(streams: number): void {
    this.#watches = streams;
    this.#update();
  }

  stop(): void {
    this.#news.stop();
  }

  #update(): void {
    const allowed = Math.min(this.peer ?? this.#configured ?? ASSUMED, this.#configured ?? Infinity);
    // A peer that allows none now may allow some later.
    this.calls = Math.max(0, Math.min(allowed, (this.peer ?? Infinity) - this.#watches));
  }
}
