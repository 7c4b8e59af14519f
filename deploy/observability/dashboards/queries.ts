import { type QueryDefinition, query } from './definition.js';

/** The statuses of a client that count as failures, as in `alerts/slo.yaml`. */
const CLIENT_ERRORS = 'UNKNOWN|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS';
/** Those of a server. */
const SERVER_ERRORS = 'UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS';

/** What a counter or the count of a histogram gains in a second. */
export function rate(series: string, filter: string, by: string): string {
  return `sum by (${by}) (rate(${series}{${filter}}[$__rate_interval]))`;
}

/** The share of calls that failed, 0 included; not streams whose end a server planned. */
export function failures(side: 'client' | 'server', filter: string, by: string): string {
  const series = `grpc_${side}_call_duration_seconds_count`;
  const errors = side === 'client' ? CLIENT_ERRORS : SERVER_ERRORS;
  const all = rate(series, filter, by);
  const failed = rate(series, `${filter}, grpc_status=~"${errors}"`, by);
  const planned = `(${rate('grpc_lb_server_streams_ended_total', filter, by)} or 0 * ${all})`;
  return `(${side === 'client' ? failed : `clamp_min(${failed} - ${planned}, 0)`} or 0 * ${all}) / (${all} > 0)`;
}

/** Percentiles of a histogram, one query for each. */
export function percentiles(
  histogram: string,
  filter: string,
  percents: readonly number[],
  by = '',
): readonly QueryDefinition[] {
  const labels = by === '' ? 'le' : `le, ${by}`;
  const legend = by === '' ? '' : ` {{${by}}}`;
  return percents.map((percent) =>
    query(
      `histogram_quantile(${percent / 100}, ${rate(`${histogram}_bucket`, filter, labels)})`,
      `p${percent}${legend}`,
    ),
  );
}

/** How many times faster than allowed the error budget burns. */
export function burn(side: 'client' | 'server', filter: string, by: string): readonly QueryDefinition[] {
  return ['1h', '6h'].map((window) =>
    query(
      `sum by (${by}) (grpc_${side}:errors:ratio_rate${window}{${filter}}) / scalar(grpc_${side}:error_budget:ratio)`,
      `{{${by}}}, ${window}`,
    ),
  );
}
