/** What calls that ended in a window took. */
export interface LatencyView {
  readonly calls: number;
  readonly failed: number;
  /** Milliseconds, of the calls that succeeded; null if none did. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** The last calls of an endpoint or a client, in constant memory. */
export class RecentLatencies {
  readonly #endedAt: Float64Array;
  /** Milliseconds; NaN if the call failed. */
  readonly #latency: Float64Array;
  #next = 0;
  #size = 0;

  /** @param capacity How many calls it keeps. */
  constructor(capacity: number) {
    this.#endedAt = new Float64Array(capacity);
    this.#latency = new Float64Array(capacity);
  }

  add(endedAt: number, latency: number, failed: boolean): void {
    this.#endedAt[this.#next] = endedAt;
    this.#latency[this.#next] = failed ? Number.NaN : latency;
    this.#next = (this.#next + 1) % this.#endedAt.length;
    if (this.#size < this.#endedAt.length) this.#size++;
  }

  /** The calls that ended after `since`. */
  view(since: number): LatencyView {
    const latencies = new Float64Array(this.#size);
    let calls = 0;
    let succeeded = 0;
    for (let i = 0; i < this.#size; i++) {
      if (!(this.#endedAt[i]! > since)) continue;
      calls++;
      const latency = this.#latency[i]!;
      if (!Number.isNaN(latency)) latencies[succeeded++] = latency;
    }
    const sorted = latencies.subarray(0, succeeded).toSorted();
    return {
      calls,
      failed: calls - succeeded,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
    };
  }
}

/** Nearest rank: the smallest value that at least this share does not exceed. */
function percentile(sorted: Float64Array, share: number): number | null {
  const value = sorted[Math.ceil(share * sorted.length) - 1];
  return value === undefined ? null : Math.round(value * 10) / 10;
}
