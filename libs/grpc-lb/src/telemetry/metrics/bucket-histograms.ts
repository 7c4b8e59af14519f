import { BucketSeries } from './bucket-series.js';
import type { MetricName } from './metrics.js';
import { type Histograms, keyOf, type Labels } from './series.js';

/**
 * The histograms of one registry. prom-client looks a series up by its labels at each value, which costs more than all
 * the rest; here a method remembers its series.
 */
export class BucketHistograms implements Histograms {
  readonly #all = new Map<MetricName, Map<string, BucketSeries>>();

  /** @param Series The class of a series that does not exist yet. */
  series(name: MetricName, labels: Labels, buckets: readonly number[], Series = BucketSeries): BucketSeries {
    let ofName = this.#all.get(name);
    if (!ofName) this.#all.set(name, (ofName = new Map<string, BucketSeries>()));
    const key = keyOf(labels);
    let series = ofName.get(key);
    if (!series) ofName.set(key, (series = new Series(key, labels, buckets)));
    return series;
  }

  context(): undefined {
    return undefined;
  }

  of(name: MetricName): Iterable<BucketSeries> {
    return this.#all.get(name)?.values() ?? [];
  }
}
