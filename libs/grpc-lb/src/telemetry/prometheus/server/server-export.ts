import type { Registry, RegistryContentType } from 'prom-client';
import { BucketSeries } from '../../metrics/bucket-series.js';
import type { Sample } from '../../metrics/collection.js';
import type { MetricDefinition } from '../../metrics/definition.js';
import { keyOf } from '../../metrics/series.js';
import { ObservedServers } from '../../metrics/observed-servers.js';
import {
  SERVER_METRICS,
  SERVER_TLS_METRICS,
  type ServerMetricName,
  type ServerTlsMetricName,
} from '../../metrics/server-metrics.js';
import type { ServerLabels } from '../../metrics/server-recorder.js';
import { ExportedMetric } from '../exported-metric.js';
import { registerMetrics } from '../register-metrics.js';

const byRegistry = new WeakMap<Registry<RegistryContentType>, ServerExport>();

/** One metric: a counter has samples, a histogram has series. */
interface Series {
  readonly samples: Map<string, Sample>;
  readonly buckets: Map<string, BucketSeries>;
}

/**
 * The metrics of servers in one registry of prom-client. Several servers of a process may share a registry, such as the
 * default one; then they are in the same metrics.
 */
export class ServerExport {
  readonly servers = new ObservedServers();
  readonly #series = new Map<ServerMetricName, Series>();
  readonly #metrics: readonly ExportedMetric[];

  private constructor() {
    this.#metrics = (Object.entries(SERVER_METRICS) as [ServerMetricName, MetricDefinition][]).map(
      ([name, definition]) => {
        if (name in SERVER_TLS_METRICS) return this.#read(name as ServerTlsMetricName, definition);
        const series: Series = { samples: new Map(), buckets: new Map() };
        this.#series.set(name, series);
        const source = { samples: () => series.samples.values(), series: () => series.buckets.values() };
        return new ExportedMetric(name, definition, source);
      },
    );
  }

  /** The metrics in this registry, also if it has been cleared since. */
  static of(registry: Registry<RegistryContentType>): ServerExport {
    let found = byRegistry.get(registry);
    if (!found) byRegistry.set(registry, (found = new ServerExport()));
    registerMetrics(registry, found.#metrics);
    return found;
  }

  take(metric: ServerMetricName, value: number, labels: ServerLabels): void {
    const { samples, buckets } = this.#series.get(metric)!;
    const key = keyOf(labels);
    const definition: MetricDefinition = SERVER_METRICS[metric];
    if (definition.kind === 'counter') {
      const sample = samples.get(key);
      if (sample) sample.value += value;
      else samples.set(key, { key, labels, value });
      return;
    }
    let series = buckets.get(key);
    if (!series) buckets.set(key, (series = new BucketSeries(key, labels, definition.buckets!)));
    series.record(value);
  }

  /** A metric that is read at each scrape. */
  #read(name: ServerTlsMetricName, definition: MetricDefinition): ExportedMetric {
    return new ExportedMetric(name, definition, { samples: () => this.servers.samples(name), series: () => [] });
  }
}
