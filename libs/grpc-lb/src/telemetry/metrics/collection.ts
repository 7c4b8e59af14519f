import { type MetricName, METRICS } from './metrics.js';
import { keyOf, type Labels } from './series.js';

/** The value of one series at one moment. */
export interface Sample {
  /** What tells it apart from the other series of the metric. */
  readonly key: string;
  readonly labels: Labels;
  value: number;
}

/** The values of counters and gauges at one moment. */
export class Collection {
  readonly #all = new Map<MetricName, Map<string, Sample>>();

  /** Adds a value. Clients with the same labels, such as the same target, are added up; of a gauge the last one counts. */
  readonly add = (name: MetricName, labels: Labels, value: number): void => {
    let series = this.#all.get(name);
    if (!series) this.#all.set(name, (series = new Map<string, Sample>()));
    const key = keyOf(labels);
    const sample = series.get(key);
    if (!sample) series.set(key, { key, labels, value });
    else if (METRICS[name].kind === 'gauge') sample.value = value;
    else sample.value += value;
  };

  has(name: MetricName, { key }: Sample): boolean {
    return this.#all.get(name)?.has(key) ?? false;
  }

  samples(name: MetricName): Iterable<Sample> {
    return this.#all.get(name)?.values() ?? [];
  }

  *[Symbol.iterator](): Iterator<readonly [MetricName, Sample]> {
    for (const [name, series] of this.#all) for (const sample of series.values()) yield [name, sample];
  }
}
