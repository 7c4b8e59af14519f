import { ofMethod } from './of-method.js';
import { FAILURE_STATUS_NAMES, type FailureStatus } from './status-names.js';
import { type Check, defined, fields, integer, listOf, number, oneOf, recordOf } from './validation.js';

/** How the calls of a method are throttled. */
export interface ThrottlePolicyOptions {
  /**
   * How many calls pass for each that backends accept, 1.1 to 10. At 2 no call is refused until backends reject more
   * than they accept; less refuses earlier.
   *
   * @default 2, as in the SRE book
   */
  readonly multiplier?: number;
  /**
   * Milliseconds over which calls are counted, 10000 to 600000. It applies to methods with few calls; those with at
   * least 20 in the last three seconds are judged by these.
   *
   * @default 120000, as in the SRE book
   */
  readonly window?: number;
  /**
   * Statuses by which backends reject a call. Failures that one endpoint has and the others do not never count, nor what
   * the caller cancels.
   *
   * @default `["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"]`
   */
  readonly rejectionStatusCodes?: readonly FailureStatus[];
}

/**
 * Adaptive throttling (SRE book, "Handling overload"): while backends reject more calls of a method than they accept,
 * the client refuses a part of them with UNAVAILABLE, without sending them. The least important are refused first.
 *
 * @example
 *   throttle: { methods: { Search: { multiplier: 1.5 }, Ping: false } }
 */
export interface ThrottleOptions extends ThrottlePolicyOptions {
  /**
   * Options of single methods, by name as in the proto file; `false`: no call of the method is refused.
   *
   * @default `{}`
   */
  readonly methods?: Readonly<Record<string, ThrottlePolicyOptions | false>>;
}

export type EffectiveThrottlePolicy = Required<ThrottlePolicyOptions>;

const policyFields: Record<string, Check> = {
  multiplier: number({ min: 1.1, max: 10 }),
  window: integer({ min: 10_000, max: 600_000, unit: 'milliseconds' }),
  rejectionStatusCodes: listOf(oneOf(FAILURE_STATUS_NAMES), 'an array of status names, as in ["UNAVAILABLE"]'),
};

const policy: Check = (path, value, faults) => {
  if (value !== false) fields(policyFields)(path, value, faults);
};

export const throttleCheck: Check = fields({ ...policyFields, methods: recordOf(policy) });

/** The policy of one method; undefined if its calls are not throttled. */
export function throttlePolicyOf(
  options: ThrottleOptions | undefined,
  method: string,
): EffectiveThrottlePolicy | undefined {
  if (options === undefined) return undefined;
  const own = ofMethod(options.methods, method);
  if (own === false) return undefined;
  const { multiplier, window, rejectionStatusCodes } = { ...options, ...defined(own) };
  return {
    multiplier: multiplier ?? 2,
    window: window ?? 120_000,
    rejectionStatusCodes: rejectionStatusCodes ?? ['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'DEADLINE_EXCEEDED'],
  };
}
