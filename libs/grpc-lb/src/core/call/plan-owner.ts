import type { Clock } from '../clock.js';
import type { Random } from '../random.js';
import type { AttemptEnd } from './attempt-end.js';
import type { CallThrottle } from './call-throttle.js';
import type { Elsewhere } from './elsewhere.js';
import type { RetryBudget } from './retry-budget.js';
import type { RetryThrottle } from './retry-throttle.js';
import type { Excuses } from './throttle-verdict.js';

/** Why an attempt is made. */
export type AttemptKind = 'first' | 'transparent' | 'retry' | 'hedge';

/** State that the plans of one client share. */
export interface PlanEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  /** Undefined if retries are not throttled. */
  readonly throttle: RetryThrottle | undefined;
  /** Undefined if retries are unlimited. */
  readonly budget: RetryBudget | undefined;
  /** Limits the attempts elsewhere of shed calls; undefined before the first. */
  elsewhere?: Elsewhere | undefined;
}

/** Carries out a plan. */
export interface PlanOwner<A> extends Excuses<A> {
  /** Sends an attempt, and calls `placed` or `ended`, at once or later. One attempt is placed at a time. */
  place(kind: AttemptKind): void;
  /** Stops the placing of an attempt that is not needed any more. */
  unplace(): void;
  /** Ends an attempt whose result is not needed any more, or which has exceeded the attempt timeout. */
  cancel(attempt: A, timedOut: boolean): void;
  /** No other attempt follows: the caller gets the results of this one, and what was kept to repeat it can go. */
  committed(attempt: A): void;
  /** The throttle refuses the call: it has no attempt, and ends. */
  throttled(throttle: CallThrottle): void;
  /** Where an attempt is. Asked only if hedges are limited. */
  endpointOf(attempt: A): object;
  /** The call ends with the status of this attempt; of one that was not placed if undefined. */
  finish(attempt: A | undefined, end: AttemptEnd): void;
  /** Milliseconds until the deadline; Infinity if there is none. */
  readonly timeLeft: number;
  /** The criticality of the call as an index of `CRITICALITY_LEVELS`; undefined if it states none. Read if it is throttled, or calls are shed. */
  readonly rank?: number | undefined;
}
