import type { LoadReport } from '../policy/load-report.js';
import type { Confirmation } from './relative-latency.js';
import { RunningMean } from './running-mean.js';

/** The named metric with the milliseconds that the last calls of a backend took, those of all clients. */
export const CALL_DURATION = 'call_duration_ms';
/** A backend is slow if its calls take this many times the usual duration; less is chance. */
const SLOW = 2;
/** And if the client's own call took this many times the usual latency: a backend that has recovered answers fast. */
const LEAST_OWN = 1.5;
/**
 * And if it has at most this share of the usual calls in flight: if it has more, they may only wait for each other, and
 * calls in flight count anyway. All clients hear of it at the same time, and would leave it together.
 */
const MOST_CALLS = 0.7;
/** Higher values are faults of the report, and would distort the means. */
const MAX_MS = 3_600_000;
const MAX_CALLS = 1_000_000;

/**
 * Whether what a backend reports confirms that it is slow. One response is weak evidence; but a client that is one of a
 * hundred has no more of them, and tries a slow backend again and again until it has.
 */
export class ReportedDuration {
  readonly #usual = new RunningMean();
  readonly #calls = new RunningMean();

  /**
   * @param ratio How many times the usual latency the client's own call took.
   * @returns Undefined if the report confirms nothing, or if no other client has had calls there of late.
   */
  confirmation({ namedMetrics, rps }: LoadReport, ratio: number): Confirmation | undefined {
    const duration = namedMetrics[CALL_DURATION];
    if (duration === undefined || !(duration > 0 && rps >= 0)) return undefined;
    const bounded = Math.min(MAX_MS, duration);
    // Little's law: so many calls are in flight on average. How many are now says little, since those that have waited
    // for each other end one after the other.
    const calls = Math.min(MAX_CALLS, (rps * bounded) / 1000);
    this.#usual.record(bounded);
    this.#calls.record(calls);
    if (ratio < LEAST_OWN || calls > MOST_CALLS * this.#calls.value) return undefined;
    const slowness = bounded / this.#usual.value;
    return slowness > SLOW && rps > 0 ? { ratio: slowness, callsPerSecond: rps } : undefined;
  }
}
