import type { LoadReport } from '../policy/load-report.js';
import type { RunningMean } from './running-mean.js';

/** A line of work on an event loop is gone soon. */
const FADE_MS = 50;
/** More than this is no lag but a wrong clock, and would spoil the mean. */
const MAX_MS = 10_000;

/** How long work waits for the event loop of a backend, as it said in its last trailer, as far as that still holds. */
export class ReportedLag {
  #lag = 0;
  #at: number | undefined;

  constructor(
    /** Of all backends, for those of which nothing recent is known. */
    private readonly common: RunningMean,
  ) {}

  record({ namedMetrics: { event_loop_lag_now_ms: lag } }: LoadReport, now: number): void {
    if (lag === undefined) return;
    this.#lag = Math.min(MAX_MS, Math.max(0, lag));
    this.#at = now;
    this.common.record(this.#lag);
  }

  /** Milliseconds. */
  read(now: number): number {
    const { value } = this.common;
    if (this.#at === undefined) return value;
    return value + (this.#lag - value) * Math.exp(Math.min(0, this.#at - now) / FADE_MS);
  }
}
