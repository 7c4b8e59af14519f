/**
 * How calls to the local zone, or to the others, have gone lately: how many have begun and succeeded, and how long
 * those took.
 */
export class LatencyStatistics {
  #started = 0;
  #succeeded = 0;
  #sum = 0;
  #squares = 0;

  /**
   * @param atLeast So many calls are remembered, however long ago they were: a zone that gets one call in a
   * hundred must have something to say too.
   */
  constructor(private readonly atLeast: number) {}

  start(): void {
    this.#started++;
  }

  /** Latencies count by their logarithms: they have long tails, and one call of 10 s tells only that it was slow. */
  succeed(latencyMs: number): void {
    const log = Math.log(Math.max(latencyMs, SHORTEST_MS));
    this.#succeeded++;
    this.#sum += log;
    this.#squares += log * log;
  }

  /** Forgets half, but nothing of the last `atLeast` calls. */
  fade(): void {
    if (this.#started <= this.atLeast) return;
    const kept = Math.max(0.5, this.atLeast / this.#started);
    this.#started *= kept;
    this.#succeeded *= kept;
    this.#sum *= kept;
    this.#squares *= kept;
  }

  get started(): number {
    return this.#started;
  }

  get succeeded(): number {
    return this.#succeeded;
  }

  /** The part of the calls that has failed, or has begun and not ended while others have: it may hang. */
  get missing(): number {
    return this.#started === 0 ? 0 : Math.max(0, 1 - this.#succeeded / this.#started);
  }

  /** The mean of the logarithms of the latencies. */
  get logLatency(): number {
    return this.#succeeded === 0 ? 0 : this.#sum / this.#succeeded;
  }

  /** The square of the standard error of `logLatency`. */
  get latencyVariance(): number {
    return Math.max(0, this.#squares / this.#succeeded - this.logLatency ** 2) / this.#succeeded;
  }

  /** The square of the standard error of `missing`. */
  get missingVariance(): number {
    return (this.missing * (1 - this.missing)) / this.#started;
  }
}

/** Below this a latency says nothing, and its logarithm too much. */
const SHORTEST_MS = 0.01;
