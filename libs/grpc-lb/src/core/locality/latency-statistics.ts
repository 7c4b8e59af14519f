/**
 * Recent calls to the local zone, or to the other zones: how many have started and succeeded, and how long those took.
 */
export class LatencyStatistics {
  #started = 0;
  #succeeded = 0;
  #sum = 0;
  #squares = 0;

  /**
   * @param atLeast Calls that are always remembered, however old they are: a zone that gets one call in a hundred needs
   * statistics too.
   */
  constructor(private readonly atLeast: number) {}

  start(): void {
    this.#started++;
  }

  /** Averages logarithms, because latencies have long tails: one call of 10 s shows only that it was slow. */
  succeed(latencyMs: number): void {
    const log = Math.log(Math.max(latencyMs, SHORTEST_MS));
    this.#succeeded++;
    this.#sum += log;
    this.#squares += log * log;
  }

  /** Forgets half of the calls, but keeps the last `atLeast`. */
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

  /** The share of calls that failed, or that have not ended yet while others have: they may hang. */
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

/** Shorter latencies carry no information, and their logarithms would weigh too much. */
const SHORTEST_MS = 0.01;
