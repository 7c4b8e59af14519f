import { boolean, type Check, integer, isObject, oneOf, shown, unknownOption } from '../../core/options/validation.js';
import { COMPACT_BUCKETS, COMPACT_METRICS } from './compact.js';
import { type MetricName, METRICS } from './metrics.js';

/** How much there is: `full` is everything; `compact` is what the alerts ask for, in a few series for each client. */
export type MetricsDetail = 'full' | 'compact';

/** Options of the metrics, for OpenTelemetry and for Prometheus. */
export interface GrpcLbMetricsOptions {
  /**
   * `compact` is for processes with dozens of clients, or for a storage that is paid by the series: calls of all methods
   * are one series, `grpc.client.call.duration` has three buckets, and metrics that no alert asks for are off.
   *
   * @default 'full'
   */
  readonly detail?: MetricsDetail;
  /**
   * Switches single metrics off or, with `detail: 'compact'`, on, by their OpenTelemetry names:
   * `{ 'rpc.client.call.duration': false }`.
   *
   * @default those of `detail` are on
   */
  readonly instruments?: Readonly<Partial<Record<MetricName, boolean>>>;
  /**
   * Whether endpoints have metrics of their own, with their address as a label. Each endpoint adds five series.
   *
   * @default false
   */
  readonly addresses?: boolean;
  /**
   * How many endpoints of a client have metrics of their own; `grpc.lb.addresses_omitted` counts the others. 1 to 10000.
   *
   * @default 100
   */
  readonly maxAddresses?: number;
  /**
   * Whether to record the name of a method that the client does not declare, instead of `other` (gRFC A66, as in
   * grpc-go). Called with names such as `orders.v1.Orders/Find`. At most 1000 such methods of a client are named, and none
   * whose name is longer than 255 characters.
   *
   * @default none
   */
  readonly methodAttributeFilter?: (method: string) => boolean;
}

const instruments: Check = (path, value, faults) => {
  if (!isObject(value)) {
    faults.push({
      path,
      message: `is ${shown(value)}; use an object by metric, as in { 'rpc.client.call.duration': false }`,
    });
    return;
  }
  for (const [name, on] of Object.entries(value)) {
    if (!Object.hasOwn(METRICS, name)) faults.push(unknownOption(`${path}['${name}']`, name, Object.keys(METRICS)));
    else if (on !== undefined) boolean(`${path}['${name}']`, on, faults);
  }
};

const methodAttributeFilter: Check = (path, value, faults) => {
  if (typeof value !== 'function') faults.push({ path, message: `is ${shown(value)}; use a function of the method` });
};

/** The checks of the options, by their names. */
export const METRICS_CHECKS: Readonly<Record<keyof GrpcLbMetricsOptions, Check>> = {
  detail: oneOf(['full', 'compact']),
  instruments,
  addresses: boolean,
  maxAddresses: integer({ min: 1, max: 10_000 }),
  methodAttributeFilter,
};

/** The options in force. */
export interface EffectiveMetricsOptions {
  readonly detail: MetricsDetail;
  /** Whether there is a metric. */
  isEnabled(name: MetricName): boolean;
  /** The upper bounds of the buckets of a histogram. */
  bucketsOf(name: MetricName): readonly number[];
  /** How many endpoints of a client have metrics of their own. */
  readonly maxAddresses: number;
  readonly methodAttributeFilter: ((method: string) => boolean) | undefined;
}

export function effectiveMetricsOptions(options: GrpcLbMetricsOptions = {}): EffectiveMetricsOptions {
  const { detail = 'full', instruments: switched = {}, addresses = false, maxAddresses = 100 } = options;
  const compact = detail === 'compact';
  return {
    detail,
    isEnabled: (name) => switched[name] ?? (!compact || COMPACT_METRICS.has(name)),
    bucketsOf: (name) => (compact ? COMPACT_BUCKETS[name] : undefined) ?? METRICS[name].buckets ?? [],
    maxAddresses: addresses ? maxAddresses : 0,
    methodAttributeFilter: options.methodAttributeFilter,
  };
}
