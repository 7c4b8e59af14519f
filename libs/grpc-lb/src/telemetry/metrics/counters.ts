import type { MetricName } from './metrics.js';
import { keyOf, type Labels } from './series.js';

/** One series of a counter, which its owner changes in place. */
export interface Counter {
  readonly labels: Labels;
  value: number;
}

/** The counters of calls. They are read when metrics are collected, so that counting costs an addition. */
export class Counters {
  readonly #all = new Map<MetricName, Map<string, Counter>>();

  /** The counter with these labels: the same object for equal labels. */
  get(name: MetricName, labels: Labels): Counter {
    let series = this.#all.get(name);
    if (!series) this.#all.set(name, (series = new Map<string, Counter>()));
    const key = keyOf(labels);
    let counter = series.get(key);
    if (!counter) series.set(key, (counter = { labels, value: 0 }));
    return counter;
  }

  collect(add: (name: MetricName, labels: Labels, value: number) => void): void {
    for (const [name, series] of this.#all) for (const { labels, value } of series.values()) add(name, labels, value);
  }
}
