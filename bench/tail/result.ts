import { quantile } from '../sim/engine/quantiles.js';
import type { RunSpec } from './model/run-spec.js';
import type { LatenessSummary } from './processes/lateness.js';

/** Milliseconds. */
export interface Quantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
}

/** What one subject made of one run. */
export interface RunResult {
  readonly subject: string;
  readonly spec: RunSpec;
  readonly calls: number;
  /** Shares of the calls. */
  readonly timedOut: number;
  readonly failed: number;
  readonly error: string | undefined;
  /** Of calls that did not fail; those that timed out are in it with the time they took. */
  readonly latency: Quantiles;
  /** The same calls through the central queue. */
  readonly bound: Quantiles;
  /** Attempts that came to each backend. */
  readonly counts: readonly number[];
  /** Microseconds of a client's CPU for a call. */
  readonly cpu: number;
  /** Bytes of a client. */
  readonly resident: number;
  readonly heap: number;
  /** Milliseconds for a call without work, in the median. */
  readonly idleCall: number;
  /** Of the worst process. */
  readonly lateStarts: LatenessSummary;
  readonly lateAnswers: LatenessSummary;
  readonly busyClient: number;
  readonly busyBackend: number;
  /** Of all cores, by whomever. */
  readonly busyMachine: number;
}

/** How late timers may be at p99 in a run that counts, as a share of the p99 of the bound. */
export const MAX_LATE = 0.05;

/** Why a run says more about the machine than about its subject; undefined for one that is sound. */
export function unsound({ lateStarts, lateAnswers, bound }: RunResult): string | undefined {
  const most = MAX_LATE * bound.p99;
  const starts = lateStarts.p99 > most ? `starts ${lateStarts.p99.toFixed(1)} ms late at p99` : undefined;
  const answers = lateAnswers.p99 > most ? `answers ${lateAnswers.p99.toFixed(1)} ms late at p99` : undefined;
  return [starts, answers].filter((reason) => reason !== undefined).join(', ') || undefined;
}

/** Attempts beyond the calls, as a share of the calls: those of hedging. */
export function extraAttemptsOf({ counts, calls }: RunResult): number {
  return counts.reduce((sum, count) => sum + count, 0) / calls - 1;
}

export function quantilesOf(latencies: Float64Array): Quantiles {
  const sorted = latencies.toSorted();
  const [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map((q) => quantile(sorted, q));
  return { p50: p50!, p90: p90!, p99: p99!, p999: p999! };
}
