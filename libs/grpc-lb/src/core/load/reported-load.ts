import type { LoadReport } from '../policy/load-report.js';
import type { RunningMean } from './running-mean.js';

/** How fast a report gets old: calls in flight go to the backend's own mean, and that to the mean of all backends. */
const CALLS_FADE_MS = 200;
const MEAN_FADE_MS = 1500;
const OWN_MEAN_STEP = 1 / 8;

/** What a backend says of itself in the trailers of the calls it answers, as far as it still holds. */
export class ReportedLoad {
  #others = 0;
  #mean: number | undefined;
  #at = 0;

  constructor(
    /** Of all backends, for those of which nothing recent is known. */
    private readonly common: RunningMean,
  ) {}

  /** `own` is what this client has in flight there itself, which the backend counts too. */
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

  /** Calls of other clients in flight there. */
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
