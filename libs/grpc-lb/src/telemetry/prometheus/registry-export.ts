import type { Registry, RegistryContentType } from 'prom-client';
import { GrpcLbOptionsError } from '../../core/errors.js';
import type { ClientMetrics } from '../metrics/client-metrics.js';
import { Collection } from '../metrics/collection.js';
import type { MetricDefinition } from '../metrics/definition.js';
import { type MetricName, METRICS } from '../metrics/metrics.js';
import { BucketHistograms } from '../metrics/bucket-histograms.js';
import { ExportedMetric } from './exported-metric.js';
import { registerMetrics } from './register-metrics.js';

const exports = new WeakMap<Registry<RegistryContentType>, RegistryExport>();

/**
 * The metrics of this package in one registry of prom-client. Several applications of a process may share a registry,
 * such as the default one; then their clients are in the same metrics.
 */
export class RegistryExport {
  readonly histograms = new BucketHistograms();
  readonly #clients = new Set<ClientMetrics>();
  readonly #metrics: readonly ExportedMetric[];
  /** The values of the scrape that runs. */
  #collection: Collection | undefined;

  private constructor(private readonly registry: Registry<RegistryContentType>) {
    this.#metrics = (Object.entries(METRICS) as [MetricName, MetricDefinition][]).map(
      ([name, definition]) =>
        new ExportedMetric(name, definition, {
          samples: () => this.#collect().samples(name),
          series: () => this.histograms.of(name),
        }),
    );
  }

  static of(registry: Registry<RegistryContentType>): RegistryExport {
    let found = exports.get(registry);
    if (!found) exports.set(registry, (found = new RegistryExport(registry)));
    return found;
  }

  /**
   * Adds the metrics of some clients. Returns a function that removes them.
   *
   * @throws GrpcLbOptionsError if they are there already, or metrics of these names from elsewhere.
   */
  add(clients: ClientMetrics): () => void {
    // They would count everything twice.
    if ([...this.#clients].some((other) => other.clients === clients.clients))
      throw new GrpcLbOptionsError('Prometheus metrics', [
        { path: 'registry', message: 'exports these clients already; import GrpcLbPrometheusModule.forRoot once' },
      ]);
    registerMetrics(this.registry, this.#metrics);
    this.#clients.add(clients);
    return () => {
      this.#clients.delete(clients);
      if (this.#clients.size > 0) return;
      for (const { key } of this.#metrics) this.registry.removeSingleMetric(key);
      exports.delete(this.registry);
    };
  }

  /** A registry reads all metrics in one turn, so that one snapshot of each client is enough. */
  #collect(): Collection {
    if (this.#collection) return this.#collection;
    const collection = (this.#collection = new Collection());
    for (const clients of this.#clients) clients.collect(collection);
    queueMicrotask(() => (this.#collection = undefined));
    return collection;
  }
}
