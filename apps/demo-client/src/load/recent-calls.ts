import type { CallOutcome } from './tally.js';

export interface RecentView {
  readonly calls: number;
  readonly errors: number;
  /** Milliseconds, of the calls that succeeded; null when none did. */
  readonly p50: number | null;
  readonly p99: number | null;
}

interface Entry extends CallOutcome {
  readonly endedAt: number;
}

/** The calls that ended within the last `windowMs`, for a live view that follows the present. */
export class RecentCalls {
  #entries: Entry[] = [];

  constructor(private readonly windowMs: number) {}

  add(endedAt: number, outcome: CallOutcome): void {
    this.#entries.push({ endedAt, ...outcome });
  }

  clear(): void {
    this.#entries = [];
  }

  /** All calls within `withinMs`, and those of each backend. */
  view(
    now: number,
    withinMs = this.windowMs,
  ): { readonly all: RecentView; readonly of: (address: string) => RecentView } {
    const keepFrom = this.#entries.findIndex((entry) => entry.endedAt > now - this.windowMs);
    this.#entries = keepFrom === -1 ? [] : this.#entries.slice(keepFrom);
    const entries = this.#entries.filter((entry) => entry.endedAt > now - withinMs);
    return {
      all: summarize(entries),
      of: (address) => summarize(entries.filter((entry) => entry.address === address)),
    };
  }
}

function summarize(entries: readonly Entry[]): RecentView {
  const latencies = entries.filter((entry) => entry.ok).map((entry) => entry.latencyMs);
  latencies.sort((a, b) => a - b);
  const percentile = (share: number): number | null => {
    // Nearest rank: the smallest value that at least this share of the calls does not exceed.
    const value = latencies[Math.ceil(share * latencies.length) - 1];
    return value === undefined ? null : Math.round(value * 10) / 10;
  };
  return {
    calls: entries.length,
    errors: entries.length - latencies.length,
    p50: percentile(0.5),
    p99: percentile(0.99),
  };
}
