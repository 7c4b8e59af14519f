import { BucketSeries } from './bucket-series.js';
import { type MetricName, METRICS } from './metrics.js';
import { type Histograms, keyOf, type Labels } from './series.js';

/**
 * The histograms of one registry. prom-client looks a series up by its labels at each value, which costs more than all
 * the rest; here a method remembers its series.
 */
export class BucketHistograms implements Histograms {
  readonly #all = new Map<MetricName, Map<string, BucketSeries>>();

  series(name: MetricName, labels: Labels): BucketSeries {
    let ofName = this.#all.get(name);
    if (!ofName) this.#all.set(name, (ofName = new Map<string, BucketSeries>()));
    const key = keyOf(labels);
    let series = ofName.get(key);
    if (!series) ofName.set(key, (series = new BucketSeries(key, labels, METRICS[name].buckets!)));
    return series;
  }

  context(): undefined {
    return undefined;
  }

  of(name: MetricName): Iterable<BucketSeries> {
    return this.#all.get(name)?.values() ?? [];
  }
}
