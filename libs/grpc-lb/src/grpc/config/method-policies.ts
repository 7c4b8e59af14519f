import type { ChannelOptions } from '@grpc/grpc-js';
import { type CallPolicy, type HedgeRule, type RetryRule, SINGLE_ATTEMPT } from '../../core/call/call-policy.js';
import type { CallThrottle } from '../../core/call/call-throttle.js';
import type { CriticalityLevel } from '../../core/call/criticality.js';
import { HedgeShare } from '../../core/call/hedge-share.js';
import { LearnedDelay } from '../../core/call/learned-delay.js';
import { type EffectiveHedgePolicy, HEDGE_QUANTILES, hedgePolicyOf } from '../../core/options/hedge-options.js';
import type { EffectiveLoadBalancing } from '../../core/options/load-balancing.js';
import { ofMethod } from '../../core/options/of-method.js';
import {
  effectiveBudget,
  type EffectiveRetryBudget,
  type EffectiveRetryThrottling,
  effectiveThrottling,
  inheritsDeadline,
  retryPolicyOf,
  timeoutOf,
} from '../../core/options/retry-options.js';
import {
  attemptLimit,
  codesOf,
  configuredHedgeRule,
  configuredRetryRule,
  limited,
  retryRuleOf,
} from './attempt-rules.js';
import {
  configOfMethod,
  generalConfig,
  type GivenServiceConfig,
  type MethodConfig,
  methodConfigsOf,
  type MethodInfo,
} from './service-config.js';

/** Limits the cached policies: a proxy may receive calls with arbitrary method names. */
const MAX_UNKNOWN = 1000;

/** What the calls of one method may do. */
export interface MethodPolicy {
  /** Whether the client declares the method. */
  readonly declared: boolean;
  /** Whether it streams in either direction. */
  readonly stream: boolean;
  /** Undefined if the method is unknown. */
  readonly responseStream: boolean | undefined;
  /** The default deadline in milliseconds; undefined if there is none. */
  readonly timeout: number | undefined;
  /** Whether it ends with the call that the handler serves which makes it. */
  readonly inherits: boolean;
  /** How important its calls are; undefined if no option states it. */
  readonly criticality: CriticalityLevel | undefined;
  readonly call: CallPolicy;
  /** Learns from the latency of each call; undefined if the method needs no learned delay. */
  readonly latency: LearnedDelay | undefined;
}

/**
 * The policies of a client's methods: retries and hedging (gRFC A6), and default deadlines. An entry for a method in the
 * user's own service config wins over the options; one for a service, or for all, completes them.
 */
export class MethodPolicies {
  /** Undefined if retries and hedges are not throttled, or if there are none. */
  readonly throttling: EffectiveRetryThrottling | undefined;
  /** Undefined if retries and hedges are unlimited, or if there are none. */
  readonly budget: EffectiveRetryBudget | undefined;
  readonly #configs: readonly MethodConfig[];
  readonly #limit: number;
  readonly #byPath = new Map<string, MethodPolicy>();
  readonly #maxCached: number;
  /** The policies of unknown methods, which depend only on the entry that names them. */
  readonly #byConfig = new Map<MethodConfig | undefined, MethodPolicy>();
  readonly #learned = new Map<string, LearnedDelay>();
  readonly #shares = new Map<string, HedgeShare>();
  /** Whether calls of unknown methods end with the call that the handler serves. */
  readonly #inherits: boolean;
  readonly #criticality: CriticalityLevel | undefined;

  /** @param previous The policies that these replace: what they have learned is kept. */
  constructor(
    loadBalancing: EffectiveLoadBalancing,
    methods: readonly MethodInfo[],
    given: GivenServiceConfig,
    channelOptions: ChannelOptions,
    previous?: MethodPolicies,
    /** The throttle of a method; undefined if its calls are not throttled. */
    private readonly throttleOf: (path: string, declared: boolean) => CallThrottle | undefined = () => undefined,
  ) {
    this.#configs = methodConfigsOf(given);
    this.#limit = attemptLimit(channelOptions);
    this.#inherits = loadBalancing.deadline?.inherit ?? true;
    this.#criticality = loadBalancing.criticality;
    for (const info of methods) {
      const path = `/${info.service}/${info.method}`;
      this.#byPath.set(path, this.#policyOf(loadBalancing, info, path, previous));
    }
    this.#maxCached = this.#byPath.size + MAX_UNKNOWN;
    for (const config of this.#configs) this.#configured(config);

    const { retry, hedge } = loadBalancing;
    const policies = [...this.#byPath.values(), ...this.#byConfig.values()];
    if (!policies.some(({ call }) => call.retry ?? call.hedge)) return;
    this.budget = effectiveBudget(retry);
    if (retry?.throttling === undefined && given.retryThrottling) this.throttling = given.retryThrottling;
    else if (retry ?? hedge) this.throttling = effectiveThrottling(retry);
  }

  /** @param path As in `/orders.v1.Orders/Find`. */
  for(path: string): MethodPolicy {
    return this.#byPath.get(path) ?? this.#unknown(path);
  }

  #policyOf(
    { retry, hedge, deadline, methods, criticality: general }: EffectiveLoadBalancing,
    { service, method, responseStream, requestStream = false, idempotent = false }: MethodInfo,
    path: string,
    previous: MethodPolicies | undefined,
  ): MethodPolicy {
    const stream = responseStream || requestStream;
    const inherits = inheritsDeadline(deadline, method);
    const criticality = ofMethod(methods, method)?.criticality ?? general;
    const own = configOfMethod(this.#configs, service, method);
    if (own)
      return this.#throttled(path, {
        ...this.#configured(own),
        declared: true,
        stream,
        responseStream,
        inherits,
        criticality,
      });

    const config = generalConfig(this.#configs, service);
    const retryPolicy = retryPolicyOf(retry, method);
    // Requests that are streamed would have to be kept and sent twice: only if the user says so.
    const hedgePolicy = hedgePolicyOf(hedge, method, idempotent && !requestStream);
    const latency = hedgePolicy && this.#latencyOf(hedgePolicy, path, previous);
    let hedgeRule = hedgePolicy && hedgeRuleOf(hedgePolicy, latency, this.#shareOf(hedgePolicy, path, previous));
    const undecided = retry === undefined && ofMethod(hedge?.methods, method) === undefined;
    if (undecided) hedgeRule ??= configuredHedgeRule(config?.hedgingPolicy);
    const retryRule = retry ? retryPolicy && retryRuleOf(retryPolicy) : configuredRetryRule(config?.retryPolicy);
    return this.#throttled(path, {
      declared: true,
      stream,
      responseStream,
      timeout: timeoutOf(deadline, method, responseStream) ?? timeoutOfConfig(config),
      inherits,
      criticality,
      call: this.#callPolicy(retryRule, hedgeRule, retryPolicy?.attemptTimeout),
      latency: this.#limit > 1 ? latency : undefined,
    });
  }

  #unknown(path: string): MethodPolicy {
    const [, service = '', method = ''] = path.split('/');
    const config = configOfMethod(this.#configs, service, method) ?? generalConfig(this.#configs, service);
    const policy = this.#throttled(path, this.#configured(config));
    if (this.#byPath.size < this.#maxCached) this.#byPath.set(path, policy);
    return policy;
  }

  #throttled(path: string, policy: MethodPolicy): MethodPolicy {
    const throttle = this.throttleOf(path, policy.declared);
    if (!throttle) return policy;
    return { ...policy, call: { ...policy.call, throttle, acceptedByResponse: policy.responseStream !== false } };
  }

  #configured(config: MethodConfig | undefined): MethodPolicy {
    let policy = this.#byConfig.get(config);
    if (!policy) {
      const retryRule = configuredRetryRule(config?.retryPolicy);
      const call = this.#callPolicy(retryRule, configuredHedgeRule(config?.hedgingPolicy), undefined);
      policy = {
        declared: false,
        stream: false,
        responseStream: undefined,
        timeout: timeoutOfConfig(config),
        inherits: this.#inherits,
        criticality: this.#criticality,
        call,
        latency: undefined,
      };
      this.#byConfig.set(config, policy);
    }
    return policy;
  }

  #callPolicy(
    retryRule: RetryRule | undefined,
    hedgeRule: HedgeRule | undefined,
    attemptTimeout: number | undefined,
  ): CallPolicy {
    const hedge = limited(hedgeRule, this.#limit);
    const retry = hedge ? undefined : limited(retryRule, this.#limit);
    return hedge || retry || attemptTimeout !== undefined ? { retry, hedge, attemptTimeout } : SINGLE_ATTEMPT;
  }

  #shareOf(
    { maxShare }: EffectiveHedgePolicy,
    path: string,
    previous: MethodPolicies | undefined,
  ): HedgeShare | undefined {
    if (maxShare === 1) return undefined;
    const key = `${maxShare} ${path}`;
    const share = (previous && previous.#shares.get(key)) ?? new HedgeShare(maxShare);
    this.#shares.set(key, share);
    return share;
  }

  #latencyOf(
    { delay }: EffectiveHedgePolicy,
    path: string,
    previous: MethodPolicies | undefined,
  ): LearnedDelay | undefined {
    if (typeof delay === 'number') return undefined;
    const key = `${delay} ${path}`;
    const latency = (previous && previous.#learned.get(key)) ?? new LearnedDelay(HEDGE_QUANTILES[delay]);
    this.#learned.set(key, latency);
    return latency;
  }
}

function hedgeRuleOf(
  { maxAttempts, delay, nonFatalStatusCodes }: EffectiveHedgePolicy,
  latency: LearnedDelay | undefined,
  share: HedgeShare | undefined,
): HedgeRule {
  return {
    maxAttempts,
    delay: typeof delay === 'number' ? () => delay : () => latency?.value,
    share,
    nonFatalCodes: codesOf(nonFatalStatusCodes),
  };
}

function timeoutOfConfig(config: MethodConfig | undefined): number | undefined {
  const timeout = config?.timeout;
  return timeout && timeout.seconds * 1000 + timeout.nanos / 1e6;
}
