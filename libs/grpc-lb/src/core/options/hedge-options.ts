import { ofMethod } from './of-method.js';
import { FAILURE_STATUS_NAMES, type FailureStatus } from './status-names.js';
import { type Check, defined, fields, integer, listOf, number, oneOf, recordOf, shown } from './validation.js';

/** Quantiles by the names under which operators know them. */
export const HEDGE_QUANTILES = {
  p50: 0.5,
  p75: 0.75,
  p90: 0.9,
  p95: 0.95,
  p98: 0.98,
  p99: 0.99,
  'p99.9': 0.999,
} as const;

/** A quantile of the recent latencies of a method. */
export type HedgeQuantile = keyof typeof HEDGE_QUANTILES;

/**
 * A hedging policy (gRFC A6): if a call has no answer after `delay`, it is also sent to another endpoint, and the first
 * answer counts. The other attempts are cancelled, but may have run.
 */
export interface HedgePolicyOptions {
  /**
   * Maximum number of attempts, including the first, 1 (no hedging) to 5.
   *
   * @default 2
   */
  readonly maxAttempts?: number;
  /**
   * Milliseconds without an answer until the next attempt, 0 (all attempts at once) to 60000; or a quantile of the
   * latencies of the last calls of the method: `p50`, `p75`, `p90`, `p95`, `p98`, `p99` or `p99.9`. A quantile is
   * learned: the method is not hedged before 50 calls have been answered.
   *
   * @default `p95`
   */
  readonly delay?: number | HedgeQuantile;
  /**
   * Hedges after `delay` for each call of the method, at most, 0.001 to 1 (no limit). They are spent on calls to endpoints
   * that are late unlike the others, while they win: a call that is late because it is much work is as late on another
   * endpoint, and a hedge would double that work. With 1, calls that are late by chance are hedged too, at any endpoint.
   *
   * @default 0.03 for a learned delay, 1 for a fixed one
   */
  readonly maxShare?: number;
  /**
   * Statuses of an attempt after which the next attempt starts at once, and the others continue. Any other status ends
   * the call.
   *
   * @default `["UNAVAILABLE"]`
   */
  readonly nonFatalStatusCodes?: readonly FailureStatus[];
}

/**
 * Hedging of a client. Only methods are hedged that `methods` names, or that the proto file marks as safe to run twice:
 * `option idempotency_level = IDEMPOTENT`, or `NO_SIDE_EFFECTS`. A hedged method is not retried.
 *
 * @example
 *   hedge: { delay: 'p95', methods: { Find: true, Search: { delay: 50 }, Place: false } }
 */
export interface HedgeOptions extends HedgePolicyOptions {
  /**
   * By name as in the proto file: `true` hedges the method with the options above, an object with options of its own,
   * and `false` never, whatever the proto file says. A method that streams requests cannot be hedged.
   *
   * @default `{}`: those marked in the proto file
   */
  readonly methods?: Readonly<Record<string, HedgePolicyOptions | boolean>>;
}

export type EffectiveHedgePolicy = Required<HedgePolicyOptions>;

const quantileNames = Object.keys(HEDGE_QUANTILES);
const MAX_DELAY_MS = 60_000;

const delay: Check = (path, value, faults) => {
  if (typeof value === 'string' && Object.hasOwn(HEDGE_QUANTILES, value)) return;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_DELAY_MS) return;
  faults.push({
    path,
    message: `is ${shown(value)}; use a whole number from 0 to ${MAX_DELAY_MS} (milliseconds), or one of ${quantileNames.join(', ')}`,
  });
};

const policyFields: Record<string, Check> = {
  maxAttempts: integer({ min: 1, max: 5 }),
  delay,
  maxShare: number({ min: 0.001, max: 1 }),
  nonFatalStatusCodes: listOf(oneOf(FAILURE_STATUS_NAMES), 'an array of status names, as in ["UNAVAILABLE"]'),
};

const policy: Check = (path, value, faults) => {
  if (typeof value !== 'boolean') fields(policyFields)(path, value, faults);
};

export const hedgeCheck: Check = fields({ ...policyFields, methods: recordOf(policy) });

export function effectiveHedgePolicy(options: HedgePolicyOptions): EffectiveHedgePolicy {
  const { delay: fixedOrLearned = 'p95' } = options;
  return {
    maxAttempts: options.maxAttempts ?? 2,
    delay: fixedOrLearned,
    maxShare: options.maxShare ?? (typeof fixedOrLearned === 'number' ? 1 : 0.03),
    nonFatalStatusCodes: options.nonFatalStatusCodes ?? ['UNAVAILABLE'],
  };
}

/**
 * The policy of one method; undefined if it is not hedged.
 *
 * @param idempotent Whether the proto file says that a call may run twice.
 */
export function hedgePolicyOf(
  options: HedgeOptions | undefined,
  method: string,
  idempotent: boolean,
): EffectiveHedgePolicy | undefined {
  if (options === undefined) return undefined;
  const own = ofMethod(options.methods, method) ?? idempotent;
  if (own === false) return undefined;
  const effective = effectiveHedgePolicy({ ...options, ...(own !== true && defined(own)) });
  return effective.maxAttempts > 1 ? effective : undefined;
}
