import { register, type Registry } from 'prom-client';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { type Check, fields, shown } from '../../core/options/validation.js';
import { ClientMetrics } from '../metrics/client-metrics.js';
import { effectiveMetricsOptions, type GrpcLbMetricsOptions, METRICS_CHECKS } from '../metrics/metrics-options.js';
import type { MetricsSource } from '../metrics/metrics-source.js';
import { RegistryExport } from './registry-export.js';

/** Options of `observeMetrics`. */
export interface PrometheusMetricsOptions extends GrpcLbMetricsOptions {
  /**
   * The registry that exports the metrics.
   *
   * @default the default registry of prom-client
   */
  readonly registry?: Registry;
}

const registry: Check = (path, value, faults) => {
  if (typeof (value as Registry | null)?.registerMetric !== 'function')
    faults.push({ path, message: `is ${shown(value)}; use a Registry of prom-client` });
};

/** The checks of the options, by their names. */
export const PROMETHEUS_CHECKS: Readonly<Record<keyof PrometheusMetricsOptions, Check>> = {
  ...METRICS_CHECKS,
  registry,
};

const check = fields(PROMETHEUS_CHECKS);

/**
 * Exports the metrics of clients by a registry of prom-client. `GrpcLbPrometheusModule` does it for all clients of an
 * application; this is for clients without Nest.
 *
 * @example
 *   const stop = observeMetrics(createBalancedChannel({ name: 'ORDERS', target, credentials }));
 *
 * @param clients A channel, a client, or `GrpcLbRegistry` for all clients of an application.
 * @returns A function that ends it.
 * @throws GrpcLbOptionsError that lists all faults; if the registry exports these clients already.
 */
export function observeMetrics(clients: MetricsSource, options: PrometheusMetricsOptions = {}): () => void {
  const faults: Fault[] = [];
  check('', options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError('observeMetrics', faults);
  const exported = RegistryExport.of(options.registry ?? register);
  const metrics = new ClientMetrics(clients, effectiveMetricsOptions(options), exported.histograms);
  const remove = exported.add(metrics);
  const stopObserving = clients.observe(metrics.calls);
  return () => {
    stopObserving();
    remove();
  };
}
