import { FAILURE_STATUS_NAMES, type FailureStatus } from './status-names.js';
import { boolean, type Check, fields, integer, listOf, number, oneOf } from './validation.js';

/**
 * Outlier ejection: endpoints whose calls fail get no calls for a while. It works with two to four replicas, where the
 * algorithms of gRFC A50 never eject.
 */
export interface OutlierEjectionOptions {
  /**
   * Whether endpoints are ejected.
   *
   * @default true
   */
  readonly enabled?: boolean;
  /**
   * Consecutive failures that eject an endpoint, 1 to 1000; 0 for never. Fewer suffice, but at least two, if the
   * results in `window` make such a run by chance less likely than one in a million.
   *
   * @default 5, as in Envoy and Finagle
   */
  readonly consecutiveFailures?: number;
  /**
   * Ejects an endpoint whose success rate is below this by more than chance: 0 (never) to 1 (with every failure, from
   * `minimumCalls` on). With 0.8 four of five calls must have failed, five of ten, or thirty of a hundred.
   *
   * @default 0.8, as in Finagle
   */
  readonly successRate?: number;
  /**
   * Window of the success rate in milliseconds, 1000 to 600000.
   *
   * @default 30000
   */
  readonly window?: number;
  /**
   * Calls in the window below which the success rate ejects no endpoint, 1 to 100000.
   *
   * @default 5
   */
  readonly minimumCalls?: number;
  /**
   * Minimum length of the first ejection in milliseconds, 10 to 3600000. A random factor of up to two is applied, and
   * each further ejection doubles the length.
   *
   * @default 5000, or `maxEjectionTime` if that is less
   */
  readonly baseEjectionTime?: number;
  /**
   * Maximum length of an ejection in milliseconds, 10 to 86400000.
   *
   * @default 300000, or `baseEjectionTime` if that is more
   */
  readonly maxEjectionTime?: number;
  /**
   * Maximum percentage of endpoints that are ejected at the same time, 0 to 100. One may always be ejected, but never
   * the last.
   *
   * @default 50
   */
  readonly maxEjectionPercent?: number;
  /**
   * Statuses that count as a failure of the endpoint. CANCELLED never counts: the caller cancelled.
   *
   * @default UNAVAILABLE (a lost connection too), DEADLINE_EXCEEDED, INTERNAL, UNKNOWN, RESOURCE_EXHAUSTED and
   *   DATA_LOSS
   */
  readonly failureCodes?: readonly FailureStatus[];
}

/** Ejection options with every default filled in. */
export type EffectiveEjectionOptions = Required<OutlierEjectionOptions>;

const checkFields = fields({
  enabled: boolean,
  consecutiveFailures: integer({ min: 0, max: 1000 }),
  successRate: number({ min: 0, max: 1 }),
  window: integer({ min: 1000, max: 600_000, unit: 'milliseconds' }),
  minimumCalls: integer({ min: 1, max: 100_000 }),
  baseEjectionTime: integer({ min: 10, max: 3_600_000, unit: 'milliseconds' }),
  maxEjectionTime: integer({ min: 10, max: 86_400_000, unit: 'milliseconds' }),
  maxEjectionPercent: integer({ min: 0, max: 100 }),
  failureCodes: listOf(oneOf(FAILURE_STATUS_NAMES), 'an array of status names, as in ["UNAVAILABLE"]'),
});

export const ejectionCheck: Check = (path, value, faults) => {
  checkFields(path, value, faults);
  const { baseEjectionTime, maxEjectionTime } = (value ?? {}) as OutlierEjectionOptions;
  if (
    typeof baseEjectionTime === 'number' &&
    typeof maxEjectionTime === 'number' &&
    maxEjectionTime < baseEjectionTime
  ) {
    faults.push({
      path: `${path}.maxEjectionTime`,
      message: `is ${maxEjectionTime}, less than baseEjectionTime ${baseEjectionTime}; use ${baseEjectionTime} or more, or remove this option`,
    });
  }
};

export function effectiveEjection(options: OutlierEjectionOptions = {}): EffectiveEjectionOptions {
  const baseEjectionTime = options.baseEjectionTime ?? Math.min(5000, options.maxEjectionTime ?? Infinity);
  return {
    enabled: options.enabled ?? true,
    consecutiveFailures: options.consecutiveFailures ?? 5,
    successRate: options.successRate ?? 0.8,
    window: options.window ?? 30_000,
    minimumCalls: options.minimumCalls ?? 5,
    baseEjectionTime,
    maxEjectionTime: options.maxEjectionTime ?? Math.max(300_000, baseEjectionTime),
    maxEjectionPercent: options.maxEjectionPercent ?? 50,
    failureCodes: options.failureCodes ?? [
      'UNAVAILABLE',
      'DEADLINE_EXCEEDED',
      'INTERNAL',
      'UNKNOWN',
      'RESOURCE_EXHAUSTED',
      'DATA_LOSS',
    ],
  };
}
