/** The mean is that of about so much time: responses count less the older they are. */
const WINDOW_MS = 2000;
/** So many responses that took as long as usual stand beside those of the window: few say little, whatever they say. */
const USUAL_RESPONSES = 4;
/**
 * How fast all that fades without responses, so that an endpoint that was slow is tried again. 8 s would be a little
 * better for backends that stay slow, but one that has recovered would wait for half a minute; so 10 s, 20 s at most.
 */
const FADE_MS = 5000;
/** The most that one response may say: a hiccup of a method that takes microseconds must not shut its endpoint out. */
const MOST = 100;
/** However fast an endpoint is, the calls that it has in flight must count. */
const LEAST = 0.05;

/** How fast one endpoint answers, in units of what is usual: 1 is the mean of all endpoints, 2 takes twice as long. */
export class RelativeLatency {
  #value = 1;
  /** Responses of the window, by their age. */
  #count = 0;
  #at = -Infinity;

  /** A response that took `ratio` times as long as such a call usually does. */
  record(ratio: number, now: number): void {
    const value = this.#faded(now);
    this.#count = this.#count * this.#left(now, WINDOW_MS) + 1;
    // Latencies of single calls differ by more than those of backends: where there are few, a weight by the time since the
    // last one takes noise for slowness.
    this.#value = value + (Math.min(MOST, ratio) - value) / (this.#count + USUAL_RESPONSES);
    this.#at = now;
  }

  /** It would have taken at least so long: counts only where that is longer than expected. */
  recordAtLeast(ratio: number, now: number): void {
    if (ratio > this.#faded(now)) this.record(ratio, now);
  }

  /** 1 without history; reading changes nothing. */
  read(now: number): number {
    return Math.max(LEAST, this.#faded(now));
  }

  #faded(now: number): number {
    return 1 + (this.#value - 1) * this.#left(now, FADE_MS);
  }

  /** No more than all of it, also on a clock that has gone back. */
  #left(now: number, time: number): number {
    return Math.exp(Math.min(0, this.#at - now) / time);
  }
}
