/** The mean covers about this much time: responses count less the older they are. */
const WINDOW_MS = 2000;
/** This many responses of usual latency are added to those in the window, because a few responses are weak evidence. */
const USUAL_RESPONSES = 4;
/**
 * A report that confirms that the endpoint is slow counts as this many responses, if it is about calls of other clients;
 * less with calls of this client, and as none if they are half of them.
 */
const CONFIRMATION = 4;
/**
 * How fast the value fades without responses, so that an endpoint that was slow is tried again. 8 s would be slightly
 * better for backends that stay slow, but one that has recovered would wait for half a minute; so 10 s, 20 s at most.
 */
const FADE_MS = 5000;
/** The highest value of one response: a hiccup of a method that takes microseconds must not shut its endpoint out. */
const MOST = 100;
/** The lowest value, so that calls in flight count however fast an endpoint is. */
const LEAST = 0.05;

/** What a backend reports of its calls, those of other clients too, if it is slow. */
export interface Confirmation {
  /** How many times longer they took than those of the others. */
  readonly ratio: number;
  /** How many there are; above 0. */
  readonly callsPerSecond: number;
}

/** The latency of one endpoint relative to the usual one: 1 is the mean of all endpoints, 2 is twice as slow. */
export class RelativeLatency {
  #value = 1;
  /** Responses in the window, weighted by age. */
  #count = 0;
  #at = -Infinity;
  /** When the first of them came. */
  #since: number | undefined;

  /**
   * Records a response that took `ratio` times the usual latency.
   *
   * @param confirmation What the backend reports of the calls of all clients, if that confirms it.
   */
  record(ratio: number, now: number, confirmation?: Confirmation): void {
    const value = this.#faded(now);
    this.#since ??= now;
    this.#count = this.#count * this.#left(now, WINDOW_MS) + 1;
    // Latencies of single calls vary more than those of backends: with few responses, a weight by the time since the
    // last one would mistake noise for slowness.
    let change = Math.min(MOST, ratio) - value;
    let responses = this.#count + USUAL_RESPONSES;
    if (confirmation) {
      const own = this.#perSecond(now) / confirmation.callsPerSecond;
      const others = CONFIRMATION * Math.max(0, 1 - 2 * own);
      change += others * (Math.min(MOST, confirmation.ratio) - value);
      responses += others;
    }
    this.#value = value + change / responses;
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
    this.#since = undefined;
  }

  /** The value, 1 without history. Reading changes nothing. */
  read(now: number): number {
    return Math.max(LEAST, this.#faded(now));
  }

  #faded(now: number): number {
    return 1 + (this.#value - 1) * this.#left(now, FADE_MS);
  }

  /** Responses in the window, which is no longer than the time since the first; after the first their rate is unknown. */
  #perSecond(now: number): number {
    const age = Math.max(0, now - this.#since!);
    const window = WINDOW_MS * (1 - Math.exp(-age / WINDOW_MS));
    return (1000 * this.#count) / Math.max(1, window);
  }

  /** At most 1, even if the clock has gone back. */
  #left(now: number, time: number): number {
    return Math.exp(Math.min(0, this.#at - now) / time);
  }
}
