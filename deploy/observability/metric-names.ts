import { METRICS } from '../../libs/grpc-lb/src/telemetry/metrics/metrics.js';
import type { MetricDefinition } from '../../libs/grpc-lb/src/telemetry/metrics/definition.js';
import { prometheusLabel, prometheusName } from '../../libs/grpc-lb/src/telemetry/metrics/prometheus-name.js';
import { SERVER_METRICS } from '../../libs/grpc-lb/src/telemetry/metrics/server-metrics.js';

const definitions = Object.entries<MetricDefinition>({ ...METRICS, ...SERVER_METRICS });

/** All that may begin with `grpc_` or `rpc_` in a query: the series and labels of this package. */
const KNOWN: ReadonlySet<string> = new Set(
  definitions.flatMap(([name, definition]) => {
    const { kind, labels, optionalLabels = [] } = definition;
    const series = prometheusName(name, definition);
    const suffixes = kind === 'histogram' ? ['_bucket', '_count', '_sum'] : [''];
    return [...suffixes.map((suffix) => series + suffix), ...[...labels, ...optionalLabels].map(prometheusLabel)];
  }),
);

/** Names in a query that are neither metrics or labels of this package, nor records of its rules. */
export function unknownMetrics(query: string, records: ReadonlySet<string> = new Set()): string[] {
  const withoutValues = query.replaceAll(/"[^"]*"/g, '""');
  const names = withoutValues.match(/\b(?:grpc|rpc)_[\w:]+/g) ?? [];
  return [...new Set(names)].filter((name) => !KNOWN.has(name) && !records.has(name));
}
