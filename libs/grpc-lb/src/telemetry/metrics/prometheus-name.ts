import type { MetricDefinition } from './definition.js';

const UNITS: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };

/**
 * The name of a metric in Prometheus, as OpenTelemetry's "Prometheus and OpenMetrics Compatibility" derives it: dots become
 * underscores, the unit is a suffix, `1` of a gauge is `ratio`, units in braces are dropped, and counters end with `total`.
 *
 * @example
 *   prometheusName('grpc.client.call.duration', definition); // grpc_client_call_duration_seconds
 */
export function prometheusName(name: string, { kind, unit }: MetricDefinition): string {
  const suffix = unit === '1' && kind === 'gauge' ? '_ratio' : (UNITS[unit] ?? '');
  return `${prometheusLabel(name)}${suffix}${kind === 'counter' ? '_total' : ''}`;
}

/** The name of a label in Prometheus. */
export function prometheusLabel(name: string): string {
  return name.replaceAll('.', '_');
}
