import { METRIC_NAMES, metricNamed } from '../policy/utilization.js';
import { boolean, type Check, integer, listOf, number, oneOf, shown } from './validation.js';

/**
 * One endpoint after the other, in proportion to weights: from load reports (gRFC A58) or from discovery.
 */
export interface WeightedRoundRobinConfig {
  /** The name of the policy. */
  readonly name: 'weighted_round_robin';
  /**
   * Where weights come from. `reported`, the default: from the load reports of the backends, `requests per second /
   * (utilization + errors per request * errorUtilizationPenalty)`. `fixed`: from discovery, as in
   * `static:///a:1;weight=2,b:1`; the other options have no effect then, and are refused.
   *
   * @default `reported`
   */
  readonly weights?: 'reported' | 'fixed';
  /**
   * Whether weights come from out-of-band reports, on a stream for each connection, instead of trailers.
   *
   * @default false
   */
  readonly enableOobLoadReport?: boolean;
  /**
   * Milliseconds between two reports out of band, 100 to 600000; a server may send fewer.
   *
   * @default 10000
   */
  readonly oobReportingPeriod?: number;
  /**
   * Milliseconds of reports before the weight of an endpoint is used, 0 to 600000.
   *
   * @default 10000
   */
  readonly blackoutPeriod?: number;
  /**
   * Milliseconds without a report after which a weight expires, 1000 to 86400000.
   *
   * @default 180000
   */
  readonly weightExpirationPeriod?: number;
  /**
   * Milliseconds between updates of the weights, 100 to 60000.
   *
   * @default 1000
   */
  readonly weightUpdatePeriod?: number;
  /**
   * Penalty for errors, 0 to 1000: with 1, a backend that fails half of its calls counts as 50 % busier.
   *
   * @default 1
   */
  readonly errorUtilizationPenalty?: number;
  /**
   * Metrics of the load reports that tell how busy a backend is if it does not report `application_utilization` (gRFC
   * A114): `mem_utilization`, or an entry of a map, as in `named_metrics.queue` and `utilization.disk`. The greatest one
   * counts; values of 0 do not. If a backend reports none of them, its `cpu_utilization` counts.
   *
   * @default none
   */
  readonly metricNamesForComputingUtilization?: readonly string[];
}

export type EffectiveWeightedRoundRobin = Required<Omit<WeightedRoundRobinConfig, 'name'>>;

const metricName: Check = (path, value, faults) => {
  if (typeof value === 'string' && metricNamed(value)) return;
  faults.push({ path, message: `is ${shown(value)}; use ${METRIC_NAMES.join(', ')}` });
};

export const WEIGHTED_ROUND_ROBIN_FIELDS: Readonly<Record<string, Check>> = {
  weights: oneOf(['reported', 'fixed']),
  enableOobLoadReport: boolean,
  oobReportingPeriod: integer({ min: 100, max: 600_000, unit: 'milliseconds' }),
  blackoutPeriod: integer({ min: 0, max: 600_000, unit: 'milliseconds' }),
  weightExpirationPeriod: integer({ min: 1000, max: 86_400_000, unit: 'milliseconds' }),
  weightUpdatePeriod: integer({ min: 100, max: 60_000, unit: 'milliseconds' }),
  errorUtilizationPenalty: number({ min: 0, max: 1000 }),
  metricNamesForComputingUtilization: listOf(metricName, 'a list of metrics, as in ["named_metrics.queue"]'),
};

/** Checks combinations of fields that are valid by themselves. */
export const weightedRoundRobinCheck: Check = (path, value, faults) => {
  const config = value as Record<string, unknown>;
  const refuse = (names: readonly string[], why: string): void => {
    for (const name of names) {
      if (config[name] !== undefined) faults.push({ path: `${path}.${name}`, message: `has no effect ${why}` });
    }
  };
  if (config['weights'] === 'fixed') {
    const others = Object.keys(WEIGHTED_ROUND_ROBIN_FIELDS).filter((name) => name !== 'weights');
    refuse(others, `with weights "fixed"; remove this option, or set weights: "reported"`);
  } else if (config['enableOobLoadReport'] !== true) {
    refuse(
      ['oobReportingPeriod'],
      'without enableOobLoadReport: true; set enableOobLoadReport: true, or remove this option',
    );
  }
};

export function effectiveWeightedRoundRobin(
  config: Omit<WeightedRoundRobinConfig, 'name'>,
): EffectiveWeightedRoundRobin {
  return {
    weights: config.weights ?? 'reported',
    enableOobLoadReport: config.enableOobLoadReport ?? false,
    oobReportingPeriod: config.oobReportingPeriod ?? 10_000,
    blackoutPeriod: config.blackoutPeriod ?? 10_000,
    weightExpirationPeriod: config.weightExpirationPeriod ?? 180_000,
    weightUpdatePeriod: config.weightUpdatePeriod ?? 1000,
    errorUtilizationPenalty: config.errorUtilizationPenalty ?? 1,
    metricNamesForComputingUtilization: config.metricNamesForComputingUtilization ?? [],
  };
}
