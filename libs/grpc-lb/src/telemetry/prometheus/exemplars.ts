import { BucketSeries } from '../metrics/bucket-series.js';
import type { BucketHistograms } from '../metrics/bucket-histograms.js';
import type { MetricName } from '../metrics/metrics.js';
import type { Histograms, HistogramSeries, Labels } from '../metrics/series.js';

/** The labels of an exemplar, by their names in Prometheus, such as `trace_id`. */
export type ExemplarLabels = Readonly<Record<string, string>>;

/** Called when a call starts: the labels of the exemplars that it may become; undefined for none. */
export type ExemplarSource = () => ExemplarLabels | undefined;

/** One value of a bucket, and where it came from. */
export interface Exemplar {
  readonly labelSet: ExemplarLabels;
  readonly value: number;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

/** A series that keeps the latest exemplar of each bucket. */
export class ExemplarSeries extends BucketSeries {
  readonly exemplars: (Exemplar | undefined)[] = [];

  override record(value: number, context?: unknown): void {
    super.record(value);
    if (context === undefined) return;
    const bucket = this.bounds.findIndex((bound) => value <= bound);
    const exemplar = { labelSet: context as ExemplarLabels, value, timestamp: Date.now() / 1000 };
    this.exemplars[bucket === -1 ? this.bounds.length : bucket] = exemplar;
  }
}

/** Histograms whose values have the exemplars of one source. */
export class ExemplarHistograms implements Histograms {
  constructor(
    private readonly histograms: BucketHistograms,
    private readonly source: ExemplarSource,
  ) {}

  series(name: MetricName, labels: Labels, buckets: readonly number[]): HistogramSeries {
    return this.histograms.series(name, labels, buckets, ExemplarSeries);
  }

  context(): ExemplarLabels | undefined {
    try {
      return valid(this.source());
    } catch {
      // The call is worth more than its exemplar.
      return undefined;
    }
  }
}

/** OpenMetrics: "The combined length of the label names and values of an Exemplar's LabelSet MUST NOT exceed 128 UTF-8 characters". */
const MOST_CHARACTERS = 128;

/** A scrape with one faulty exemplar would fail as a whole. */
function valid(labels: ExemplarLabels | undefined): ExemplarLabels | undefined {
  if (labels === undefined) return undefined;
  let characters = 0;
  for (const [name, value] of Object.entries(labels)) {
    if (typeof value !== 'string' || !/^[A-Za-z_]\w*$/.test(name)) return undefined;
    characters += name.length + value.length;
  }
  return characters > 0 && characters <= MOST_CHARACTERS ? labels : undefined;
}
