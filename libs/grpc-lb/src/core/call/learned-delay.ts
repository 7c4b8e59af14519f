/** Fewer latencies than this say little about a quantile near 1. */
const LEAST = 50;
/** Two windows count, the current and the previous one. Each takes at least this long, and at least `LEAST` calls. */
const WINDOW_MS = 2000;
/** Buckets for each doubling of the latency: each is 9 % wide. */
const PER_OCTAVE = 8;
/** 2^-6 ms, and 2^20 ms, which is 17 minutes. */
const LOWEST = -6;
const HIGHEST = 20;
const BUCKETS = (HIGHEST - LOWEST) * PER_OCTAVE;
/** The quantile is computed again after this many calls. */
const EVERY = 16;

/**
 * The delay of a hedge: a quantile of the latencies of one method. Whether hedges are sent does not change it, because
 * a call that is hedged takes longer than the delay in any case.
 */
export class LearnedDelay {
  #current = new Uint32Array(BUCKETS);
  #previous = new Uint32Array(BUCKETS);
  /** Calls in the current window, and in both. */
  #count = 0;
  #countOfBoth = 0;
  #since = -Infinity;
  #value: number | undefined;
  #untilUpdate = LEAST;

  /** @param quantile From 0 to 1, as in 0.95. */
  constructor(private readonly quantile: number) {}

  /** Milliseconds; undefined until enough calls have been answered. */
  get value(): number | undefined {
    if (this.#untilUpdate <= 0) this.#update();
    return this.#value;
  }

  /**
   * Called once for each call that was answered, and for each that ended without an answer because it took too long:
   * without those the delay would shrink in an overload, and hedges add to it.
   *
   * @param latency Milliseconds from the start of a call to its answer, or until it was given up.
   * @param now By the clock.
   */
  record(latency: number, now: number): void {
    if (this.#count >= LEAST && now - this.#since >= WINDOW_MS) this.#rotate();
    if (this.#count === 0) this.#since = now;
    this.#current[bucketOf(latency)]!++;
    this.#count++;
    this.#countOfBoth++;
    this.#untilUpdate--;
  }

  #rotate(): void {
    [this.#current, this.#previous] = [this.#previous.fill(0), this.#current];
    this.#countOfBoth = this.#count;
    this.#count = 0;
  }

  /** The upper end of the bucket: rather a later hedge than one too many. */
  #update(): void {
    this.#untilUpdate = EVERY;
    let left = (1 - this.quantile) * this.#countOfBoth;
    let bucket = BUCKETS;
    while (bucket > 0 && left >= 0) {
      bucket--;
      left -= this.#current[bucket]! + this.#previous[bucket]!;
    }
    this.#value = 2 ** ((bucket + 1) / PER_OCTAVE + LOWEST);
  }
}

function bucketOf(latency: number): number {
  // The logarithm of 0 is -Infinity.
  const bucket = Math.floor((Math.log2(latency) - LOWEST) * PER_OCTAVE);
  return Math.min(BUCKETS - 1, Math.max(0, bucket));
}
