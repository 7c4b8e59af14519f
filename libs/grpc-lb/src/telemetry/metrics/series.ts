import type { MetricName } from './metrics.js';

/** The labels of one series, by their names in OpenTelemetry, always in the same order for a metric. */
export type Labels = Readonly<Record<string, string | number>>;

/** One series of a histogram. */
export interface HistogramSeries {
  /** @param context What `Histograms.context` returned when the call started. */
  record(value: number, context: unknown): void;
}

/** Where values go that are recorded as they happen; each metrics library has its own. */
export interface Histograms {
  /**
   * The series of a histogram with these labels: the same object for equal labels.
   *
   * @param buckets The upper bounds, in ascending order.
   */
  series(name: MetricName, labels: Labels, buckets: readonly number[]): HistogramSeries;
  /** What a later value of the call that starts now belongs to, such as its span, for exemplars. */
  context(): unknown;
}

/** Drops the values of metrics that are switched off. */
export const NO_SERIES: HistogramSeries = { record() {} };

/** Tells series with different labels apart. */
export function keyOf(labels: Labels): string {
  let key = '';
  for (const name in labels) key += `${labels[name]}\0`;
  return key;
}
