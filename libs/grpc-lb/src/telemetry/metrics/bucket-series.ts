import type { HistogramSeries, Labels } from './series.js';

/** One series of a histogram that counts by itself: a call costs a binary search and two additions. */
export class BucketSeries implements HistogramSeries {
  /** Values for each bucket, not cumulative; the last one is above all bounds. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(
    /** What tells it apart from the other series of the metric. */
    readonly key: string,
    readonly labels: Labels,
    readonly bounds: readonly number[],
  ) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  record(value: number): void {
    const { bounds } = this;
    let [low, high] = [0, bounds.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      // Bounds are inclusive, in OpenTelemetry and in Prometheus.
      if (value <= bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    this.counts[low]!++;
    this.sum += value;
  }
}
