import type { LoadReport } from '../policy/load-report.js';
import type { RunningMean } from './running-mean.js';

/** The backlog of an event loop clears quickly. */
const FADE_MS = 50;
/** A higher lag is a clock error, and would distort the mean. */
const MAX_MS = 10_000;

/** The event loop lag of a backend, from its last trailer; it fades to the mean of all backends as the report ages. */
export class ReportedLag {
  #lag = 0;
  #at: number | undefined;

  constructor(
    /** The mean of all backends, for backends without a recent report. */
    private readonly common: RunningMean,
  ) {}

  record({ namedMetrics: { event_loop_lag_now_ms: lag } }: LoadReport, now: number): void {
    if (lag === undefined) return;
    this.#lag = Math.min(MAX_MS, Math.max(0, lag));
    this.#at = now;
    this.common.record(this.#lag);
  }

  /** The lag in milliseconds. */
  read(now: number): number {
    const { value } = this.common;
    if (this.#at === undefined) return value;
    return value + (this.#lag - value) * Math.exp(Math.min(0, this.#at - now) / FADE_MS);
  }
}
