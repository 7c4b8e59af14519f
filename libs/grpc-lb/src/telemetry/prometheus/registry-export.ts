import type { Registry, RegistryContentType } from 'prom-client';
import { GrpcLbOptionsError } from '../../core/errors.js';
import type { ClientMetrics } from '../metrics/client-metrics.js';
import type { MetricDefinition } from '../metrics/definition.js';
import { MeasuredClients } from '../metrics/measured-clients.js';
import { type MetricName, METRICS } from '../metrics/metrics.js';
import { BucketHistograms } from '../metrics/bucket-histograms.js';
import { ExportedMetric } from './exported-metric.js';
import { registerMetrics } from './register-metrics.js';

const byRegistry = new WeakMap<Registry<RegistryContentType>, RegistryExport>();

const EXPORTED =
  'exports these clients already; import GrpcLbPrometheusModule.forRoot once, and measure no client by itself beside ' +
  'the GrpcLbRegistry that has it';

/**
 * The metrics of this package in one registry of prom-client. Several applications of a process may share a registry,
 * such as the default one; then their clients are in the same metrics.
 */
export class RegistryExport {
  readonly histograms = new BucketHistograms();
  readonly #clients = new MeasuredClients('shared');
  readonly #metrics: readonly ExportedMetric[];

  private constructor(private readonly registry: Registry<RegistryContentType>) {
    this.#metrics = (Object.entries(METRICS) as [MetricName, MetricDefinition][]).map(
      ([name, definition]) =>
        new ExportedMetric(name, definition, {
          samples: () => this.#clients.collect().samples(name),
          series: () => this.histograms.of(name),
        }),
    );
  }

  static of(registry: Registry<RegistryContentType>): RegistryExport {
    let found = byRegistry.get(registry);
    if (!found) byRegistry.set(registry, (found = new RegistryExport(registry)));
    return found;
  }

  /**
   * Adds the metrics of some clients. Returns a function that removes them.
   *
   * @throws GrpcLbOptionsError if some of them are there already, or metrics of these names from elsewhere.
   */
  add(clients: ClientMetrics): () => void {
    // They would count everything twice.
    if (this.#clients.has(clients.clients))
      throw new GrpcLbOptionsError('Prometheus metrics', [{ path: 'registry', message: EXPORTED }]);
    registerMetrics(this.registry, this.#metrics);
    const remove = this.#clients.add(clients);
    return () => {
      remove();
      if (this.#clients.size > 0) return;
      for (const { key } of this.#metrics) this.registry.removeSingleMetric(key);
      byRegistry.delete(this.registry);
    };
  }
}
