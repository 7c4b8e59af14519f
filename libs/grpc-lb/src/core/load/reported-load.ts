import type { LoadReport } from '../policy/load-report.js';
import type { RunningMean } from './running-mean.js';

/**
 * How fast a report ages: calls in flight fade to the backend's own mean, and that mean fades to the mean of all
 * backends.
 */
const CALLS_FADE_MS = 200;
const MEAN_FADE_MS = 1500;
const OWN_MEAN_STEP = 1 / 8;

/** The load that a backend reports in its trailers, faded by the age of the report. */
export class ReportedLoad {
  #others = 0;
  #mean: number | undefined;
  #at = 0;

  constructor(
    /** The mean of all backends, for backends without a recent report. */
    private readonly common: RunningMean,
  ) {}

  /** `own` is the number of this client's calls in flight on the backend, which the backend counts too. */
  record(report: LoadReport, own: number, now: number): void {
    const { in_flight: inFlight } = report.namedMetrics;
    if (inFlight === undefined) return;
    const others = Math.max(0, inFlight - own);
    const mean = this.#mean === undefined ? others : this.#meanAt(now);
    this.#mean = mean + OWN_MEAN_STEP * (others - mean);
    this.#others = others;
    this.#at = now;
    this.common.record(others);
  }

  /** Calls in flight of other clients. */
  others(now: number): number {
    const mean = this.#meanAt(now);
    return mean + (this.#others - mean) * this.#left(now, CALLS_FADE_MS);
  }

  #meanAt(now: number): number {
    const { value: others } = this.common;
    return this.#mean === undefined ? others : others + (this.#mean - others) * this.#left(now, MEAN_FADE_MS);
  }

  #left(now: number, fade: number): number {
    return this.#mean === undefined ? 0 : Math.exp(Math.min(0, this.#at - now) / fade);
  }
}
