import { type ChannelOptions, status as Status } from '@grpc/grpc-js';
import type { HedgeRule, RetryRule } from '../../core/call/call-policy.js';
import type { EffectiveRetryPolicy } from '../../core/options/retry-options.js';
import type { MethodConfig } from './service-config.js';

type RetryPolicy = NonNullable<MethodConfig['retryPolicy']>;
type HedgingPolicy = NonNullable<MethodConfig['hedgingPolicy']>;

/** The most attempts of a call that the channel options allow, as in grpc-js. */
export function attemptLimit(options: ChannelOptions): number {
  return options['grpc.enable_retries'] === 0 ? 1 : (options['grpc-node.retry_max_attempts_limit'] ?? 5);
}

/** The rule with at most `limit` attempts; undefined if it allows only one. */
export function limited<R extends { readonly maxAttempts: number }>(rule: R | undefined, limit: number): R | undefined {
  if (rule === undefined) return undefined;
  const maxAttempts = Math.min(rule.maxAttempts, limit);
  return maxAttempts > 1 ? { ...rule, maxAttempts } : undefined;
}

export function retryRuleOf(policy: EffectiveRetryPolicy): RetryRule {
  const { maxAttempts, retryableStatusCodes, initialBackoff, maxBackoff, backoffMultiplier } = policy;
  return {
    maxAttempts,
    retryableCodes: codesOf(retryableStatusCodes),
    initialBackoff,
    maxBackoff: Math.max(initialBackoff, maxBackoff),
    backoffMultiplier,
  };
}

/** The `retryPolicy` of a service config. */
export function configuredRetryRule(policy: RetryPolicy | undefined): RetryRule | undefined {
  if (policy === undefined) return undefined;
  return {
    maxAttempts: policy.maxAttempts,
    retryableCodes: codesOf(policy.retryableStatusCodes),
    initialBackoff: milliseconds(policy.initialBackoff),
    maxBackoff: milliseconds(policy.maxBackoff),
    backoffMultiplier: policy.backoffMultiplier,
  };
}

/** The `hedgingPolicy` of a service config. */
export function configuredHedgeRule(policy: HedgingPolicy | undefined): HedgeRule | undefined {
  if (policy === undefined) return undefined;
  // gRFC A6: "Set this to '0s', or leave unset, to immediately send all maxAttempts RPCs."
  const delay = milliseconds(policy.hedgingDelay ?? '0s');
  return {
    maxAttempts: policy.maxAttempts,
    delay: () => delay,
    nonFatalCodes: codesOf(policy.nonFatalStatusCodes ?? []),
  };
}

/** A service config has codes as numbers or as names, in any case. */
export function codesOf(codes: readonly (number | string)[]): ReadonlySet<number> {
  const numbers = codes.map((code) =>
    typeof code === 'number' ? code : Status[code.toUpperCase() as keyof typeof Status],
  );
  return new Set(numbers.filter((code) => code !== undefined));
}

/** As in `0.05s`. */
function milliseconds(duration: string): number {
  return Number.parseFloat(duration) * 1000;
}
