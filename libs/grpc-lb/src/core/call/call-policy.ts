import type { CallThrottle } from './call-throttle.js';
import type { HedgeShare } from './hedge-share.js';

/** Retries of a call (gRFC A6). */
export interface RetryRule {
  /** Attempts in total, including the first. */
  readonly maxAttempts: number;
  readonly retryableCodes: ReadonlySet<number>;
  /** Milliseconds before the first retry. */
  readonly initialBackoff: number;
  readonly maxBackoff: number;
  readonly backoffMultiplier: number;
}

/** Hedging of a call (gRFC A6). */
export interface HedgeRule {
  /** Attempts in total, including the first. */
  readonly maxAttempts: number;
  /** Milliseconds until the next attempt; undefined while the delay has not been learned. */
  readonly delay: () => number | undefined;
  /** Limits the hedges after a delay; those after a failure replace an attempt, as a retry does. Undefined: no limit. */
  readonly share?: HedgeShare | undefined;
  /** Statuses after which the other attempts continue. */
  readonly nonFatalCodes: ReadonlySet<number>;
}

/** What a call may do beyond its first attempt. Transparent retries are always allowed. */
export interface CallPolicy {
  readonly retry?: RetryRule | undefined;
  /** Takes precedence over `retry`. */
  readonly hedge?: HedgeRule | undefined;
  /** Milliseconds from the start of an attempt to its first response. */
  readonly attemptTimeout?: number | undefined;
  /** Refuses calls while backends reject most of them. Undefined: no call is refused. */
  readonly throttle?: CallThrottle | undefined;
  /** Whether a throttled call counts as accepted with its first response: a stream may last for hours. */
  readonly acceptedByResponse?: boolean;
}

/** One attempt, and it is not repeated for any status. */
export const SINGLE_ATTEMPT: CallPolicy = Object.freeze({});
