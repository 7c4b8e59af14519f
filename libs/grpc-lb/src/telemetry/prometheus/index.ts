export type { MetricDefinition, MetricKind, MetricSource } from '../metrics/definition.js';
export { type MetricName, METRICS } from '../metrics/metrics.js';
export { prometheusLabel, prometheusName } from '../metrics/prometheus-name.js';
