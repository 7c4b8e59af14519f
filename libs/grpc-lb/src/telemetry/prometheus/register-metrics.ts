import type { Metric, Registry, RegistryContentType } from 'prom-client';
import { GrpcLbOptionsError } from '../../core/errors.js';
import type { ExportedMetric } from './exported-metric.js';

/**
 * Registers those metrics that are not there yet, or not any more, because the registry was cleared.
 *
 * @throws GrpcLbOptionsError if the registry has another metric of such a name; it stays as it is.
 */
export function registerMetrics(registry: Registry<RegistryContentType>, metrics: readonly ExportedMetric[]): void {
  const missing = metrics.filter((metric) => (registry.getSingleMetric(metric.key) as unknown) !== metric);
  const taken = missing.find(({ key }) => registry.getSingleMetric(key) !== undefined);
  if (taken) {
    const message = `has a metric ${taken.key} from elsewhere; use another registry`;
    throw new GrpcLbOptionsError('Prometheus metrics', [{ path: 'registry', message }]);
  }
  for (const metric of missing) {
    metric.name = metric.key;
    registry.registerMetric(metric as unknown as Metric);
  }
}
