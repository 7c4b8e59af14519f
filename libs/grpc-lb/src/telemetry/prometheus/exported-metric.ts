import type { BucketSeries } from '../metrics/bucket-series.js';
import type { Sample } from '../metrics/collection.js';
import type { MetricDefinition } from '../metrics/definition.js';
import { type Exemplar, ExemplarSeries } from './exemplars.js';
import { prometheusLabel, prometheusName } from '../metrics/prometheus-name.js';

/** Labels as Prometheus names them. */
export type PrometheusLabels = Readonly<Record<string, string | number>>;

/** One value, as a registry of prom-client writes it. */
export interface ExportedValue {
  readonly metricName?: string;
  readonly labels: PrometheusLabels;
  /** Written behind the others; prom-client formats the same object once. */
  readonly sharedLabels?: PrometheusLabels;
  readonly value: number;
  /** Written by registries of OpenMetrics. */
  readonly exemplar?: Exemplar;
}

/** How prom-client makes one value of those of all workers of a cluster. */
export type Aggregator = 'sum' | 'max' | 'min';

/** What the registries of prom-client ask of a metric. */
export interface Exported {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: Aggregator;
  readonly values: readonly ExportedValue[];
}

/** Where the values of a metric come from. */
export interface ValueSource {
  samples(): Iterable<Sample>;
  series(): Iterable<BucketSeries>;
}

/** One metric of this package in a registry of prom-client, which reads it at each scrape. */
export class ExportedMetric {
  /** Its name in Prometheus. */
  readonly key: string;
  /** The same, from which prom-client cuts off `_total` for OpenMetrics. */
  name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: Aggregator;
  /** Those of the last scrape: addresses come and go. */
  #labels = new Map<string, PrometheusLabels>();
  #lastLabels = new Map<string, PrometheusLabels>();

  constructor(
    name: string,
    definition: MetricDefinition,
    private readonly source: ValueSource,
  ) {
    const { kind, description } = definition;
    this.key = this.name = prometheusName(name, definition);
    this.help = description;
    this.type = kind === 'up_down_counter' ? 'gauge' : kind;
    this.aggregator = kind === 'gauge' ? worst(name) : 'sum';
  }

  /** Called by a registry for JSON, as when the metrics of a cluster are added up. */
  async get(): Promise<Exported> {
    const { values, ...rest } = await this.getForPromString();
    return {
      ...rest,
      values: values.map(({ sharedLabels, labels, ...value }) => ({
        ...value,
        labels: { ...labels, ...sharedLabels },
      })),
    };
  }

  /** Called by a registry for text. */
  async getForPromString(): Promise<Exported> {
    const { name, help, type, aggregator } = this;
    this.#lastLabels = this.#labels;
    this.#labels = new Map();
    return { name, help, type, aggregator, values: type === 'histogram' ? this.#buckets() : this.#values() };
  }

  /** Called by `registry.resetMetrics()`. Values that only grow, and states, are not reset. */
  reset(): void {}

  #values(): ExportedValue[] {
    const values: ExportedValue[] = [];
    for (const sample of this.source.samples())
      values.push({ labels: NONE, sharedLabels: this.#prometheusLabels(sample), value: sample.value });
    return values;
  }

  #buckets(): ExportedValue[] {
    const values: ExportedValue[] = [];
    const { name } = this;
    const [bucket, sum, count] = [`${name}_bucket`, `${name}_sum`, `${name}_count`];
    for (const series of this.source.series()) {
      const { counts, sum: total } = series;
      const exemplars = series instanceof ExemplarSeries ? series.exemplars : undefined;
      const sharedLabels = this.#prometheusLabels(series);
      let below = 0;
      bucketLabels(series.bounds).forEach((le, i) => {
        below += counts[i]!;
        const exemplar = exemplars?.[i];
        values.push({ metricName: bucket, labels: le, sharedLabels, value: below, ...(exemplar && { exemplar }) });
      });
      values.push({ metricName: sum, labels: NONE, sharedLabels, value: total });
      values.push({ metricName: count, labels: NONE, sharedLabels, value: below });
    }
    return values;
  }

  /** The same object for the same labels. */
  #prometheusLabels({ key, labels }: Sample | BucketSeries): PrometheusLabels {
    const found =
      this.#lastLabels.get(key) ??
      Object.fromEntries(Object.entries(labels).map(([name, value]) => [prometheusLabel(name), value]));
    this.#labels.set(key, found);
    return found;
  }
}

/** The metrics whose lowest value is the worst one, so that one worker in trouble is seen among many. */
const LOWEST_IS_WORST = /\.(up|ready|min|time_left|endpoints)$/;

function worst(name: string): Aggregator {
  return LOWEST_IS_WORST.test(name) ? 'min' : 'max';
}

/** The same objects for the same bounds. */
function bucketLabels(bounds: readonly number[]): readonly PrometheusLabels[] {
  let labels = LABELS_OF_BUCKETS.get(bounds);
  if (!labels) LABELS_OF_BUCKETS.set(bounds, (labels = [...bounds, '+Inf'].map((le) => ({ le }))));
  return labels;
}

const LABELS_OF_BUCKETS = new WeakMap<readonly number[], readonly PrometheusLabels[]>();

const NONE: PrometheusLabels = Object.freeze({});
