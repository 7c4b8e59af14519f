import type { LoadReport } from './load-report.js';

/** Reads one metric of a report; undefined if it is not reported. */
export type Metric = (report: LoadReport) => number | undefined;

const FIELDS: Readonly<Record<string, Metric>> = {
  application_utilization: ({ applicationUtilization }) => applicationUtilization,
  cpu_utilization: ({ cpuUtilization }) => cpuUtilization,
  mem_utilization: ({ memUtilization }) => memUtilization,
};

const MAPS: Readonly<Record<string, (report: LoadReport) => Readonly<Record<string, number>> | undefined>> = {
  named_metrics: ({ namedMetrics }) => namedMetrics,
  utilization: ({ utilization }) => utilization,
};

/** What a metric may be called, for messages. */
export const METRIC_NAMES = [...Object.keys(FIELDS), ...Object.keys(MAPS).map((map) => `${map}.<name>`)];

/**
 * A metric by its name in the ORCA message; undefined if there is none of this name. A114: "The string is split on the
 * first dot: `foo.bar.baz` looks up key `bar.baz` in map `foo`".
 */
export function metricNamed(name: string): Metric | undefined {
  const dot = name.indexOf('.');
  if (dot < 0) return Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  const [field, key] = [name.slice(0, dot), name.slice(dot + 1)];
  const map = Object.hasOwn(MAPS, field) ? MAPS[field] : undefined;
  return key === '' ? undefined : map && ((report) => own(map(report), key));
}

/** Names such as `__proto__` are names like any other. */
function own(map: Readonly<Record<string, number>> | undefined, key: string): number | undefined {
  return map && Object.hasOwn(map, key) ? map[key] : undefined;
}

/**
 * How busy a backend is by its report. A58: "The utilization value will come from the application_utilization field, if
 * set; otherwise, the cpu_utilization field". Between the two, A114: "the maximum value among all successfully resolved,
 * positive ( > 0), finite metrics".
 */
export function utilizationOf(report: LoadReport, metrics: readonly Metric[]): number {
  if (report.applicationUtilization > 0) return report.applicationUtilization;
  let most = 0;
  for (const metric of metrics) {
    const value = metric(report);
    if (value !== undefined && value > most && value < Infinity) most = value;
  }
  return most > 0 ? most : report.cpuUtilization;
}
