import { ofMethod } from './of-method.js';
import { FAILURE_STATUS_NAMES, type FailureStatus } from './status-names.js';
import {
  boolean,
  type Check,
  defined,
  fields,
  integer,
  isObject,
  listOf,
  number,
  oneOf,
  recordOf,
  shown,
} from './validation.js';

/** A retry policy (gRFC A6). Each attempt is balanced again, and avoids the endpoint that failed. */
export interface RetryPolicyOptions {
  /**
   * Maximum number of attempts, including the first, 1 (no retries) to 5.
   *
   * @default 3
   */
  readonly maxAttempts?: number;
  /**
   * Statuses that are retried. A call may have been processed even so, if the connection was lost on the way: disable
   * retries for methods that must not run twice.
   *
   * @default `["UNAVAILABLE"]`
   */
  readonly retryableStatusCodes?: readonly FailureStatus[];
  /**
   * Backoff before the first retry in milliseconds, ± 20 %, 1 to 60000.
   *
   * @default 50
   */
  readonly initialBackoff?: number;
  /**
   * Maximum backoff before a retry in milliseconds, 1 to 600000.
   *
   * @default 1000
   */
  readonly maxBackoff?: number;
  /**
   * Factor from one backoff to the next, 1 to 10.
   *
   * @default 2
   */
  readonly backoffMultiplier?: number;
  /**
   * Milliseconds from the start of an attempt to its first response, 1 to 86400000. An attempt that exceeds it is ended
   * and retried, whatever `retryableStatusCodes` says; if it was the last one, the call ends with DEADLINE_EXCEEDED. It
   * also applies to the attempts of a hedged call.
   *
   * @default none
   */
  readonly attemptTimeout?: number;
}

/** Retries of a client, and of single methods. */
export interface RetryOptions extends RetryPolicyOptions {
  /**
   * Policies of single methods, by name as in the proto file; `false`: neither retries nor an attempt timeout.
   *
   * @default `{}`
   */
  readonly methods?: Readonly<Record<string, RetryPolicyOptions | false>>;
  /**
   * Retry throttling (gRFC A6): each failure takes a token, each success returns `tokenRatio` tokens, and calls are
   * retried only while more than half of `maxTokens` (1 to 1000) are left. `false` disables it.
   *
   * @default `{ maxTokens: 100, tokenRatio: 0.1 }`
   */
  readonly throttling?: { readonly maxTokens?: number; readonly tokenRatio?: number } | false;
  /**
   * Retry budget, as in Finagle: retries and hedges of the client together are at most `ratio` (0 to 1) of its calls in
   * the last ten seconds, plus `minPerSecond` (0 to 1000) for clients with few calls. `false` disables it.
   *
   * @default `{ ratio: 0.2, minPerSecond: 10 }`
   */
  readonly budget?: { readonly ratio?: number; readonly minPerSecond?: number } | false;
}

export type EffectiveRetryPolicy = Required<Omit<RetryPolicyOptions, 'attemptTimeout'>> & {
  /** Undefined if there is none. */
  readonly attemptTimeout: number | undefined;
};

export interface EffectiveRetryThrottling {
  readonly maxTokens: number;
  readonly tokenRatio: number;
}

export interface EffectiveRetryBudget {
  readonly ratio: number;
  readonly minPerSecond: number;
}

/** Deadlines of calls that set none, or a later one. They apply to calls with one response, not to streams. */
export interface DeadlineOptions {
  /**
   * Milliseconds for each call, 1 to 86400000.
   *
   * @default none
   */
  readonly timeout?: number;
  /**
   * Whether a call that a handler of the server side (`nestjs-grpc-lb/server`) makes ends with the call that the handler
   * serves: no later than its deadline, and when it is cancelled. It applies to streams too.
   *
   * @default true
   */
  readonly inherit?: boolean;
  /**
   * Options of single methods, by name as in the proto file; a number is a `timeout`. These may be streams.
   *
   * @default `{}`
   */
  readonly methods?: Readonly<Record<string, number | MethodDeadlineOptions>>;
}

/** Deadlines of the calls of one method. */
export interface MethodDeadlineOptions {
  /**
   * Milliseconds, 1 to 86400000.
   *
   * @default that of the client
   */
  readonly timeout?: number;
  /**
   * Whether the calls end with the call that the handler serves which makes them.
   *
   * @default that of the client
   */
  readonly inherit?: boolean;
}

const policyFields: Record<string, Check> = {
  maxAttempts: integer({ min: 1, max: 5 }),
  retryableStatusCodes: listOf(oneOf(FAILURE_STATUS_NAMES), 'an array of status names, as in ["UNAVAILABLE"]'),
  initialBackoff: integer({ min: 1, max: 60_000, unit: 'milliseconds' }),
  maxBackoff: integer({ min: 1, max: 600_000, unit: 'milliseconds' }),
  backoffMultiplier: number({ min: 1, max: 10 }),
  attemptTimeout: integer({ min: 1, max: 86_400_000, unit: 'milliseconds' }),
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

const budget: Check = (path, value, faults) => {
  if (value === false) return;
  fields({ ratio: number({ min: 0, max: 1 }), minPerSecond: number({ min: 0, max: 1000 }) })(path, value, faults);
};

export const retryCheck: Check = fields({ ...policyFields, methods: recordOf(policy), throttling, budget });

const timeout = integer({ min: 1, max: 86_400_000, unit: 'milliseconds' });

/** Parses `2000`, `'2s'`, `'500 ms'`. */
function milliseconds(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const parts = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m)?\s*$/.exec(value) : null;
  const [, digits, unit = 'ms'] = parts ?? [];
  return digits === undefined ? undefined : Number(digits) * { ms: 1, s: 1000, m: 60_000 }[unit as 'ms' | 's' | 'm'];
}

const methodDeadline: Check = (path, value, faults) => {
  if (isObject(value)) fields({ timeout, inherit: boolean })(path, value, faults);
  else timeout(path, value, faults);
};

export const deadlineCheck: Check = (path, value, faults) => {
  const timeoutMs = milliseconds(value);
  if (timeoutMs !== undefined)
    faults.push({ path, message: `is ${shown(value)}; use { timeout: ${timeoutMs} }, in milliseconds` });
  else fields({ timeout, inherit: boolean, methods: recordOf(methodDeadline) })(path, value, faults);
};

export function effectiveRetryPolicy(options: RetryPolicyOptions): EffectiveRetryPolicy {
  return {
    maxAttempts: options.maxAttempts ?? 3,
    retryableStatusCodes: options.retryableStatusCodes ?? ['UNAVAILABLE'],
    initialBackoff: options.initialBackoff ?? 50,
    maxBackoff: options.maxBackoff ?? 1000,
    backoffMultiplier: options.backoffMultiplier ?? 2,
    attemptTimeout: options.attemptTimeout,
  };
}

/** The policy of one method; undefined if it has none. */
export function retryPolicyOf(options: RetryOptions | undefined, method: string): EffectiveRetryPolicy | undefined {
  if (options === undefined) return undefined;
  const own = ofMethod(options.methods, method);
  return own === false ? undefined : effectiveRetryPolicy({ ...options, ...defined(own) });
}

/** Undefined if retries are not throttled. */
export function effectiveThrottling(options: RetryOptions = {}): EffectiveRetryThrottling | undefined {
  if (options.throttling === false) return undefined;
  return { maxTokens: options.throttling?.maxTokens ?? 100, tokenRatio: options.throttling?.tokenRatio ?? 0.1 };
}

/** Undefined if retries and hedges are unlimited. */
export function effectiveBudget(options: RetryOptions = {}): EffectiveRetryBudget | undefined {
  if (options.budget === false) return undefined;
  return { ratio: options.budget?.ratio ?? 0.2, minPerSecond: options.budget?.minPerSecond ?? 10 };
}

/** The deadline of calls to one method in milliseconds; undefined if it has none. */
export function timeoutOf(
  options: DeadlineOptions | undefined,
  method: string,
  responseStream: boolean,
): number | undefined {
  const own = ofMethod(options?.methods, method);
  const ownTimeout = typeof own === 'object' ? own.timeout : own;
  return ownTimeout ?? (responseStream ? undefined : options?.timeout);
}

/** Whether calls of a method end with the call that the handler serves which makes them. */
export function inheritsDeadline(options: DeadlineOptions | undefined, method: string): boolean {
  const own = ofMethod(options?.methods, method);
  return (typeof own === 'object' ? own.inherit : undefined) ?? options?.inherit ?? true;
}
