import { FAILURE_STATUS_NAMES, type FailureStatus } from './status-names.js';
import { type Check, fields, integer, listOf, number, oneOf, recordOf, shown } from './validation.js';

/** How a call that failed is sent again (gRFC A6). Each attempt is balanced anew, and avoids the endpoint that failed. */
export interface RetryPolicyOptions {
  /** Attempts in all, the first one included, 1 (no retries) to 5. Default 3. */
  readonly maxAttempts?: number;
  /**
   * With which status a call may be sent again. Default `["UNAVAILABLE"]`: the call may have run even so, if the
   * connection was lost underway; leave methods that must not run twice without retries.
   */
  readonly retryableStatusCodes?: readonly FailureStatus[];
  /** Milliseconds before the first retry, ± 20 %, 1 to 60000. Default 50. */
  readonly initialBackoff?: number;
  /** Milliseconds before a retry at most, 1 to 600000. Default 1000. */
  readonly maxBackoff?: number;
  /** What each backoff is multiplied with for the next, 1 to 10. Default 2. */
  readonly backoffMultiplier?: number;
}

export interface RetryOptions extends RetryPolicyOptions {
  /** What holds for single methods instead, by name as in the proto file; false for no retries. */
  readonly methods?: Readonly<Record<string, RetryPolicyOptions | false>>;
  /**
   * When many calls fail, retries stop (gRFC A6): each failure takes a token, each success gives back `tokenRatio`, and
   * there are retries only while more than half of `maxTokens` (1 to 1000) are left. Default `{ maxTokens: 100,
   * tokenRatio: 0.1 }`; false for no limit.
   */
  readonly throttling?: { readonly maxTokens?: number; readonly tokenRatio?: number } | false;
}

export type EffectiveRetryPolicy = Required<RetryPolicyOptions>;

/** Default deadlines; a shorter one of the call itself wins. They are for calls with one answer, not for streams. */
export interface DeadlineOptions {
  /** Milliseconds for each call, 1 to 86400000. Default: none. */
  readonly timeout?: number;
  /** Milliseconds for single methods instead, by name as in the proto file; they may be streams. */
  readonly methods?: Readonly<Record<string, number>>;
}

const policyFields: Record<string, Check> = {
  maxAttempts: integer({ min: 1, max: 5 }),
  retryableStatusCodes: listOf(oneOf(FAILURE_STATUS_NAMES), 'an array of status names, as in ["UNAVAILABLE"]'),
  initialBackoff: integer({ min: 1, max: 60_000, unit: 'milliseconds' }),
  maxBackoff: integer({ min: 1, max: 600_000, unit: 'milliseconds' }),
  backoffMultiplier: number({ min: 1, max: 10 }),
};

const policy: Check = (path, value, faults) => {
  if (value !== false) fields(policyFields)(path, value, faults);
};

const throttling: Check = (path, value, faults) => {
  if (value === false) return;
  // gRFC A6: "maxTokens ... must be in the range (0, 1000]", "tokenRatio ... must be greater than 0".
  fields({ maxTokens: integer({ min: 1, max: 1000 }), tokenRatio: number({ min: 0.001, max: 1000 }) })(
    path,
    value,
    faults,
  );
};

export const retryCheck: Check = fields({ ...policyFields, methods: recordOf(policy), throttling });

const timeout = integer({ min: 1, max: 86_400_000, unit: 'milliseconds' });

/** Of `2000`, `'2s'`, `'500 ms'`. */
function milliseconds(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const parts = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m)?\s*$/.exec(value) : null;
  const [, digits, unit = 'ms'] = parts ?? [];
  return digits === undefined ? undefined : Number(digits) * { ms: 1, s: 1000, m: 60_000 }[unit as 'ms' | 's' | 'm'];
}

export const deadlineCheck: Check = (path, value, faults) => {
  const timeoutMs = milliseconds(value);
  if (timeoutMs !== undefined)
    faults.push({ path, message: `is ${shown(value)}; use { timeout: ${timeoutMs} }, in milliseconds` });
  else fields({ timeout, methods: recordOf(timeout) })(path, value, faults);
};

export function effectiveRetryPolicy(options: RetryPolicyOptions): EffectiveRetryPolicy {
  return {
    maxAttempts: options.maxAttempts ?? 3,
    retryableStatusCodes: options.retryableStatusCodes ?? ['UNAVAILABLE'],
    initialBackoff: options.initialBackoff ?? 50,
    maxBackoff: options.maxBackoff ?? 1000,
    backoffMultiplier: options.backoffMultiplier ?? 2,
  };
}
