import type { CallPolicy, HedgeRule, RetryRule } from '../../../libs/grpc-lb/src/core/call/call-policy.js';
import { HedgeShare } from '../../../libs/grpc-lb/src/core/call/hedge-share.js';
import type { ThrottleRule } from '../../../libs/grpc-lb/src/core/call/call-throttle.js';
import type { LearnedDelay } from '../../../libs/grpc-lb/src/core/call/learned-delay.js';

/** UNAVAILABLE. */
export const FAILED = 14;

/** Hedging after a quantile of the latencies of the method. */
export interface HedgeModel {
  /** From 0 to 1. */
  readonly quantile: number;
  /** Hedges for each call, at most. */
  readonly share?: number;
  /** Attempts in total, including the first. */
  readonly maxAttempts: number;
}

/** How a simulated client gives up, retries and hedges. */
export interface CallModel {
  /** Retries of UNAVAILABLE and of attempts that time out, with the backoff of production. */
  readonly retry?: { readonly maxAttempts: number };
  /** Takes precedence over `retry`. */
  readonly hedge?: HedgeModel | undefined;
  /** Milliseconds after which an attempt is given up; the server still does its work. */
  readonly attemptTimeout?: number;
  /** Milliseconds after which the caller gives up; the servers still do their work. */
  readonly deadline?: number;
  /** gRFC A6; without it every failure is retried. */
  readonly throttling?: { readonly maxTokens: number; readonly tokenRatio: number };
  /** Limits retries and hedges to a share of the calls, plus some per second; without it they are unlimited. */
  readonly budget?: { readonly ratio: number; readonly minPerSecond: number };
  /** Refuses calls while backends reject most of them. */
  readonly throttle?: ThrottleRule;
}

/** The limits that a client has by default. */
export const LIMITS = {
  throttling: { maxTokens: 100, tokenRatio: 0.1 },
  budget: { ratio: 0.2, minPerSecond: 10 },
} satisfies CallModel;

const CODES = new Set([FAILED]);

const BACKOFF = { initialBackoff: 50, maxBackoff: 1000, backoffMultiplier: 2 };

/** The policy of the calls of one method. */
export function callPolicyOf(
  { retry, hedge, attemptTimeout }: CallModel,
  learned: LearnedDelay | undefined,
): CallPolicy {
  return {
    retry: retry && retryRule(retry),
    hedge: hedge && learned && hedgeRule(hedge, learned),
    attemptTimeout,
  };
}

function retryRule({ maxAttempts }: { readonly maxAttempts: number }): RetryRule {
  return { maxAttempts, retryableCodes: CODES, ...BACKOFF };
}

function hedgeRule({ maxAttempts, share }: HedgeModel, learned: LearnedDelay): HedgeRule {
  return {
    maxAttempts,
    delay: () => learned.value,
    share: share === undefined ? undefined : new HedgeShare(share),
    nonFatalCodes: CODES,
  };
}
