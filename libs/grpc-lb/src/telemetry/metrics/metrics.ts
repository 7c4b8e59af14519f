import type { MetricDefinition } from './definition.js';
import { OWN_METRICS } from './own-metrics.js';
import { SPECIFIED_METRICS } from './specified-metrics.js';

/** The name of a metric of this package, as OpenTelemetry writes it. */
export type MetricName = keyof typeof SPECIFIED_METRICS | keyof typeof OWN_METRICS;

/** All metrics of the client side by their names. */
export const METRICS: Readonly<Record<MetricName, MetricDefinition>> = { ...SPECIFIED_METRICS, ...OWN_METRICS };
