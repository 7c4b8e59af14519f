import { RunningMean } from './running-mean.js';

/** How fast the shortest latency is forgotten, in milliseconds per second: paths through a network seldom change. */
const RISE_PER_SECOND = 0.02;
/** Latencies that differ by no more than a network does between two zones of a region do not decide. */
const LEAST_EXCUSE_MS = 3;
/**
 * Where the latencies of single calls differ by more, a greater distance matters less than they do; the whole spread
 * would hide backends that always take as long, only slower.
 */
const SHARE_OF_SPREAD = 0.5;
/** The shortest of few calls is not the shortest possible; a lower value excuses backends that are slow. */
const DOUBTS = 6;

/** The shortest recent latency: the way there and back, and the least work. */
export class ShortestLatency {
  #value = Infinity;
  #at = 0;
  #calls = 0;

  /** In milliseconds; Infinity before the first call. */
  get value(): number {
    return this.#value;
  }

  get calls(): number {
    return this.#calls;
  }

  record(latency: number, now: number): void {
    const risen = this.#value + (RISE_PER_SECOND * Math.max(0, now - this.#at)) / 1000;
    this.#value = Math.min(latency, risen);
    this.#at = now;
    this.#calls++;
  }
}

/**
 * Tells a distant endpoint from a slow one. A distance is in every call, the shortest too, while a queue or slow work is
 * mostly in the others. So an endpoint is excused for what its shortest latency exceeds that of all, within limits:
 * where calls always take as long, the shortest one shows slow work as well.
 */
export class Distances {
  readonly #shortest = new ShortestLatency();
  readonly #mean = new RunningMean();

  /** Records a latency of any endpoint. */
  record(latency: number, now: number): void {
    this.#shortest.record(latency, now);
    this.#mean.record(latency);
  }

  /** The milliseconds of an endpoint's latencies that do not count against it. */
  excuse({ value, calls }: ShortestLatency): number {
    if (calls === 0) return 0;
    const farther = Math.max(0, value - this.#shortest.value);
    if (farther <= LEAST_EXCUSE_MS) return farther;
    const spread = this.#mean.value - this.#shortest.value;
    const sure = Math.min(SHARE_OF_SPREAD * spread, farther - (DOUBTS * spread) / calls);
    return Math.max(LEAST_EXCUSE_MS, sure);
  }
}
