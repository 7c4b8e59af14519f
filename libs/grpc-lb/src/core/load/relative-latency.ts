/** The mean covers about this much time: responses count less the older they are. */
const WINDOW_MS = 2000;
/** This many responses of usual latency are added to those in the window, because a few responses are weak evidence. */
const USUAL_RESPONSES = 4;
/**
 * How fast the value fades without responses, so that an endpoint that was slow is tried again. 8 s would be slightly
 * better for backends that stay slow, but one that has recovered would wait for half a minute; so 10 s, 20 s at most.
 */
const FADE_MS = 5000;
/** The highest value of one response: a hiccup of a method that takes microseconds must not shut its endpoint out. */
const MOST = 100;
/** The lowest value, so that calls in flight count however fast an endpoint is. */
const LEAST = 0.05;

/** The latency of one endpoint relative to the usual one: 1 is the mean of all endpoints, 2 is twice as slow. */
export class RelativeLatency {
  #value = 1;
  /** Responses in the window, weighted by age. */
  #count = 0;
  #at = -Infinity;

  /** Records a response that took `ratio` times the usual latency. */
  record(ratio: number, now: number): void {
    const value = this.#faded(now);
    this.#count = this.#count * this.#left(now, WINDOW_MS) + 1;
    // Latencies of single calls vary more than those of backends: with few responses, a weight by the time since the
    // last one would mistake noise for slowness.
    this.#value = value + (Math.min(MOST, ratio) - value) / (this.#count + USUAL_RESPONSES);
    this.#at = now;
  }

  /** Records a call that would have taken at least this long: it counts only if that is longer than expected. */
  recordAtLeast(ratio: number, now: number): void {
    if (ratio > this.#faded(now)) this.record(ratio, now);
  }

  /** Replaces what is known. */
  assume(ratio: number, now: number): void {
    this.#value = ratio;
    this.#count = 0;
    this.#at = now;
  }

  /** The value, 1 without history. Reading changes nothing. */
  read(now: number): number {
    return Math.max(LEAST, this.#faded(now));
  }

  #faded(now: number): number {
    return 1 + (this.#value - 1) * this.#left(now, FADE_MS);
  }

  /** At most 1, even if the clock has gone back. */
  #left(now: number, time: number): number {
    return Math.exp(Math.min(0, this.#at - now) / time);
  }
}
