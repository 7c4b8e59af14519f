import { FAILURE_STATUS_NAMES, type FailureStatus } from './status-names.js';
import { boolean, type Check, fields, integer, listOf, number, oneOf } from './validation.js';

/**
 * When an endpoint that fails is left out for a while (outlier detection). It works with two to four replicas, where
 * the algorithms of gRFC A50 never fire.
 */
export interface OutlierEjectionOptions {
  /** False turns ejection off. Default true. */
  readonly enabled?: boolean;
  /**
   * Failures in a row that eject, 1 to 1000; 0 for never. Default 5, as in Envoy and Finagle. Fewer do, but at least two,
   * where the record of the last `window` says that such a run comes by chance once in a million times.
   */
  readonly consecutiveFailures?: number;
  /**
   * An endpoint whose share of successes is lower by more than chance is ejected, 0 (never) to 1 (with every failure, from
   * `minimumCalls` on). Default 0.8, as in Finagle: of five calls four must have failed, of ten five, of a hundred thirty.
   */
  readonly successRate?: number;
  /** Milliseconds over which the share of successes is taken, 1000 to 600000. Default 30000. */
  readonly window?: number;
  /** Calls in the window below which the share says nothing, however many of them fail, 1 to 100000. Default 5. */
  readonly minimumCalls?: number;
  /**
   * Milliseconds of the first ejection at least, 10 to 3600000; it lasts up to twice as long, as chance will have it, and
   * each further one doubles that. Default 5000, or `maxEjectionTime` if that is less.
   */
  readonly baseEjectionTime?: number;
  /** Milliseconds of an ejection at most, 10 to 86400000. Default 300000, or `baseEjectionTime` if that is more. */
  readonly maxEjectionTime?: number;
  /** Share of the endpoints that may be ejected at a time, 0 to 100; one may be always, but never the last. Default 50. */
  readonly maxEjectionPercent?: number;
  /**
   * What counts as a failure of the endpoint. Default UNAVAILABLE (a lost connection too), DEADLINE_EXCEEDED, INTERNAL,
   * UNKNOWN, RESOURCE_EXHAUSTED and DATA_LOSS. CANCELLED never counts: it is the caller's own doing.
   */
  readonly failureCodes?: readonly FailureStatus[];
}

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
