import { register, Registry, type RegistryContentType } from 'prom-client';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { type Check, fields, shown } from '../../core/options/validation.js';
import { ClientMetrics } from '../metrics/client-metrics.js';
import { effectiveMetricsOptions, type GrpcLbMetricsOptions, METRICS_CHECKS } from '../metrics/metrics-options.js';
import { type MetricsSource, requireClients } from '../metrics/metrics-source.js';
import { ExemplarHistograms, type ExemplarSource } from './exemplars.js';
import { RegistryExport } from './registry-export.js';

/** Options of `observeMetrics`. */
export interface PrometheusMetricsOptions extends GrpcLbMetricsOptions {
  /**
   * The registry that exports the metrics.
   *
   * @default the default registry of prom-client
   */
  readonly registry?: Registry<RegistryContentType>;
  /**
   * Where the exemplars of histograms come from: a call that becomes one shows how to find its trace. Called when a call
   * starts, and its labels have at most 128 characters. Needs a registry of OpenMetrics. `traceExemplar` of
   * `nestjs-grpc-lb/opentelemetry` takes the sampled span in which the call is made.
   *
   * @default none
   */
  readonly exemplars?: ExemplarSource;
}

const registry: Check = (path, value, faults) => {
  if (typeof (value as Registry | null)?.registerMetric !== 'function')
    faults.push({ path, message: `is ${shown(value)}; use a Registry of prom-client` });
};

const exemplars: Check = (path, value, faults) => {
  if (typeof value !== 'function')
    faults.push({ path, message: `is ${shown(value)}; use a function, such as traceExemplar` });
};

/** The checks of the options, by their names. */
export const PROMETHEUS_CHECKS: Readonly<Record<keyof PrometheusMetricsOptions, Check>> = {
  ...METRICS_CHECKS,
  registry,
  exemplars,
};

const check = fields(PROMETHEUS_CHECKS);

const NEEDS_OPENMETRICS =
  'need the text format of OpenMetrics, and that of the registry is another; call registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)';

/**
 * Exports the metrics of clients by a registry of prom-client. `GrpcLbPrometheusModule` does it for all clients of an
 * application; this is for clients without Nest.
 *
 * @example
 *   const stop = observeMetrics(createBalancedChannel({ name: 'ORDERS', target, credentials }));
 *
 * @param clients A channel, a client, or `GrpcLbRegistry` for all clients of an application.
 * @returns A function that ends it.
 * @throws GrpcLbOptionsError that lists all faults; if the registry exports some of these clients already.
 */
export function observeMetrics(clients: MetricsSource, options: PrometheusMetricsOptions = {}): () => void {
  requireClients(clients);
  const faults: Fault[] = [];
  check('', options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError('observeMetrics', faults);
  const to = options.registry ?? register;
  if (options.exemplars && to.contentType !== Registry.OPENMETRICS_CONTENT_TYPE)
    throw new GrpcLbOptionsError('observeMetrics', [{ path: 'exemplars', message: NEEDS_OPENMETRICS }]);
  const exported = RegistryExport.of(to);
  const { histograms } = exported;
  const recorded = options.exemplars ? new ExemplarHistograms(histograms, options.exemplars) : histograms;
  const metrics = new ClientMetrics(clients, effectiveMetricsOptions(options), recorded);
  const remove = exported.add(metrics);
  const stopObserving = clients.observe(metrics.calls);
  return () => {
    stopObserving();
    remove();
  };
}
