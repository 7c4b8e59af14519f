import type { LoadReport } from './load-report.js';
import { type Metric, utilizationOf } from './utilization.js';

export interface ReportedWeightOptions {
  readonly blackoutPeriod: number;
  readonly weightExpirationPeriod: number;
  readonly errorUtilizationPenalty: number;
}

/** Why an endpoint has no weight of its own. */
export type Unusable = 'not_yet' | 'stale';

/** The weight of one endpoint from its reports (gRFC A58, "Subchannel Weights"). */
export class ReportedWeight {
  #weight = 0;
  #lastUpdated = -Infinity;
  /** The start of the current period of reports without a gap. */
  #nonEmptySince: number | undefined;

  /** A58: `weight = qps / (utilization + eps / qps * error_utilization_penalty)`. Drops a report without data. */
  update(
    report: LoadReport,
    now: number,
    { errorUtilizationPenalty }: ReportedWeightOptions,
    metrics: readonly Metric[] = [],
  ): void {
    const { rps, eps } = report;
    const busy = utilizationOf(report, metrics);
    if (!(busy > 0 && rps > 0)) return;
    const weight = rps / (busy + (eps / rps) * errorUtilizationPenalty);
    if (!(weight > 0 && weight < Infinity)) return;
    this.#weight = weight;
    this.#nonEmptySince ??= now;
    this.#lastUpdated = now;
  }

  /**
   * A58, `OnSubchannelBecomesReady`: the endpoint may return as a different process, so the blackout period restarts.
   */
  reconnected(): void {
    this.#nonEmptySince = undefined;
  }

  /** The weight, or why there is none (A58, `GetWeight`). */
  at(now: number, { blackoutPeriod, weightExpirationPeriod }: ReportedWeightOptions): number | Unusable {
    if (this.#weight === 0) return 'not_yet';
    if (now - this.#lastUpdated >= weightExpirationPeriod) {
      this.#nonEmptySince = undefined;
      return 'stale';
    }
    if (blackoutPeriod === 0) return this.#weight;
    return this.#nonEmptySince === undefined || now - this.#nonEmptySince < blackoutPeriod ? 'not_yet' : this.#weight;
  }
}
