import {
  type EffectiveEjectionOptions,
  effectiveEjection,
  ejectionCheck,
  type OutlierEjectionOptions,
} from './ejection-options.js';
import {
  type EffectiveHealthOptions,
  effectiveHealth,
  type HealthCheckOptions,
  healthCheck,
} from './health-options.js';
import { hedgeCheck, type HedgeOptions } from './hedge-options.js';
import {
  type EffectiveLocalityOptions,
  effectiveLocality,
  localityCheck,
  type LocalityOptions,
} from './locality-options.js';
import { type PolicyConfig, type PolicyName, policyCheck } from './policy-config.js';
import { type ConnectionPoolOptions, type EffectivePoolOptions, effectivePool, poolCheck } from './pool-options.js';
import {
  deadlineCheck,
  type DeadlineOptions,
  effectiveBudget,
  effectiveThrottling,
  retryCheck,
  type RetryOptions,
} from './retry-options.js';
import {
  type EffectiveSlowStartOptions,
  effectiveSlowStart,
  slowStartCheck,
  type SlowStartOptions,
} from './slow-start-options.js';
import {
  type EffectiveSubsetOptions,
  effectiveSubset,
  subsetCheck,
  subsetGaps,
  type SubsetOptions,
} from './subset-options.js';
import { type EffectiveStreamOptions, effectiveStreams, streamCheck, type StreamOptions } from './stream-options.js';
import { throttleCheck, type ThrottleOptions } from './throttle-options.js';
import { CRITICALITY_LEVELS, type CriticalityLevel } from '../call/criticality.js';
import { type Fault, GrpcLbOptionsError } from '../errors.js';
import { type Check, defined, fields, isObject, oneOf, recordOf } from './validation.js';

/** Options of one method. */
export interface MethodOptions {
  /**
   * Policy for calls of this method. It learns from the calls of this method only.
   *
   * @default that of the client
   */
  readonly policy?: PolicyConfig | PolicyName;
  /**
   * How important calls of this method are.
   *
   * @default that of the client
   */
  readonly criticality?: CriticalityLevel;
}

/** How one client balances: the value of `loadBalancing`, and what the decorators set. */
export interface LoadBalancingOptions {
  /**
   * Policy that chooses the endpoint of a call.
   *
   * @default `least_request`
   */
  readonly policy?: PolicyConfig | PolicyName;
  /**
   * Options of single methods, by name as in the proto file.
   *
   * @default `{}`
   */
  readonly methods?: Readonly<Record<string, MethodOptions>>;
  /**
   * Connections to each endpoint, their limits and timeouts.
   *
   * @default `{}`: one connection, up to four when all are full
   */
  readonly pool?: ConnectionPoolOptions;
  /**
   * Health checks by `grpc.health.v1`, and panic.
   *
   * @default `{}`: on, for the server as a whole
   */
  readonly health?: HealthCheckOptions;
  /**
   * Outlier ejection: endpoints whose calls fail get no calls for a while.
   *
   * @default `{}`: on
   */
  readonly ejection?: OutlierEjectionOptions;
  /**
   * Slow start of endpoints that join later.
   *
   * @default `{}`: on, for 10 s
   */
  readonly slowStart?: SlowStartOptions;
  /**
   * Subset of the endpoints that the client uses.
   *
   * @default all endpoints
   */
  readonly subset?: SubsetOptions;
  /**
   * Zone-aware routing.
   *
   * @default on, as soon as the local zone is known
   */
  readonly locality?: LocalityOptions;
  /**
   * Retries.
   *
   * @default only calls that no server has processed
   */
  readonly retry?: RetryOptions;
  /**
   * Hedging: a slow call is also sent to another endpoint.
   *
   * @default none
   */
  readonly hedge?: HedgeOptions;
  /**
   * Throttling: calls that most backends would reject are refused by the client.
   *
   * @default none
   */
  readonly throttle?: ThrottleOptions;
  /**
   * Deadlines of calls that set none.
   *
   * @default none
   */
  readonly deadline?: DeadlineOptions;
  /**
   * Streams that last: how they are divided among the endpoints.
   *
   * @default `{}`
   */
  readonly streams?: StreamOptions;
  /**
   * How important the calls are: servers that shed load refuse the least important ones first. In a handler the less
   * important of this and the call that the handler serves counts.
   *
   * @default none: that of the call that the handler serves, or `critical` for the server
   */
  readonly criticality?: CriticalityLevel;
}

/** The load-balancing options in force, with every default filled in. */
export interface EffectiveLoadBalancing {
  /** The policy of methods without their own. */
  readonly policy: PolicyConfig;
  /** Options of single methods; undefined if there are none. */
  readonly methods: Readonly<Record<string, MethodOptions>> | undefined;
  /** Connections to each endpoint. */
  readonly pool: EffectivePoolOptions;
  /** Health checks and panic. */
  readonly health: EffectiveHealthOptions;
  /** Outlier ejection. */
  readonly ejection: EffectiveEjectionOptions;
  /** Slow start. */
  readonly slowStart: EffectiveSlowStartOptions;
  /** The subset; undefined if all endpoints are used. */
  readonly subset: EffectiveSubsetOptions | undefined;
  /** Zone-aware routing. */
  readonly locality: EffectiveLocalityOptions;
  /** Retries; undefined if there are none. */
  readonly retry: RetryOptions | undefined;
  /** Hedging; undefined if there is none. */
  readonly hedge: HedgeOptions | undefined;
  /** Throttling; undefined if there is none. */
  readonly throttle: ThrottleOptions | undefined;
  /** Default deadlines; undefined if there are none. */
  readonly deadline: DeadlineOptions | undefined;
  /** Streams that last. */
  readonly streams: EffectiveStreamOptions;
  /** How important the calls are; undefined if nothing states it. */
  readonly criticality: CriticalityLevel | undefined;
}

const ASPECTS: Record<keyof LoadBalancingOptions, Check> = {
  policy: policyCheck,
  methods: recordOf(fields({ policy: policyCheck, criticality: oneOf(CRITICALITY_LEVELS) })),
  pool: poolCheck,
  health: healthCheck,
  ejection: ejectionCheck,
  slowStart: slowStartCheck,
  subset: subsetCheck,
  locality: localityCheck,
  retry: retryCheck,
  hedge: hedgeCheck,
  throttle: throttleCheck,
  deadline: deadlineCheck,
  streams: streamCheck,
  criticality: oneOf(CRITICALITY_LEVELS),
};

/** Checks one layer of options, which other layers may complete. */
export const loadBalancingCheck: Check = fields(ASPECTS);

/** Checks all layers together, or options that no other layer completes. */
export const wholeLoadBalancingCheck: Check = (path, value, faults) => {
  const before = faults.length;
  loadBalancingCheck(path, value, faults);
  if (faults.length > before) return;
  const { subset } = value as LoadBalancingOptions;
  if (subset) subsetGaps(`${path}.subset`, subset, faults);
};

/**
 * For `fields` of the object that contains `loadBalancing`: the fields of `loadBalancing`, written one level too high.
 */
export const IN_LOAD_BALANCING = Object.fromEntries(Object.keys(ASPECTS).map((aspect) => [aspect, 'loadBalancing']));

/** Fills in the defaults of checked options. */
export function effectiveLoadBalancing(options: LoadBalancingOptions = {}): EffectiveLoadBalancing {
  const policy = options.policy ?? 'least_request';
  return {
    policy: typeof policy === 'string' ? { name: policy } : policy,
    methods: options.methods,
    pool: effectivePool(options.pool),
    health: effectiveHealth(options.health),
    ejection: effectiveEjection(options.ejection),
    slowStart: effectiveSlowStart(options.slowStart),
    subset: effectiveSubset(options.subset),
    locality: effectiveLocality(options.locality),
    retry: options.retry,
    hedge: options.hedge,
    throttle: options.throttle,
    deadline: options.deadline,
    streams: effectiveStreams(options.streams),
    criticality: options.criticality,
  };
}

/** Throws a `GrpcLbOptionsError` that lists all faults. */
export function assertLoadBalancing(
  subject: string,
  options: unknown,
  path = 'loadBalancing',
): asserts options is LoadBalancingOptions {
  const faults: Fault[] = [];
  wholeLoadBalancingCheck(path, options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError(subject, faults);
}

/** Not merged field by field. */
const WHOLE: ReadonlySet<string> = new Set(['policy', 'criticality']);

/**
 * `over` wins field by field within each aspect (`pool`, `health`, ...), also within `retry.throttling`,
 * `retry.budget` and `streams.rebalance`, and as a whole for `policy` and `criticality`; undefined fields have no effect. A value that is not an object cannot be merged, and is kept for the check that follows.
 */
export function mergeLoadBalancing(
  base: LoadBalancingOptions = {},
  over: LoadBalancingOptions = {},
): LoadBalancingOptions {
  const merged = mergeFields(base, over);
  if (!isObject(base) || !isObject(over)) return merged;
  const [below, above] = [base, over] as Record<string, unknown>[];
  const both = Object.keys(below!).filter((key) => below![key] !== undefined && above![key] !== undefined);
  const aspects = both.filter((key) => !WHOLE.has(key));
  const mergeAspect = (key: string): object => {
    const merge = MERGES[key] ?? mergeFields;
    return merge(below![key] as object, above![key] as object);
  };
  return { ...merged, ...Object.fromEntries(aspects.map((key) => [key, mergeAspect(key)])) };
}

function mergeFields<T extends object>(base: T, over: T): T {
  if (!isObject(base)) return base;
  if (!isObject(over)) return over;
  return { ...base, ...defined(over) };
}

/** The environment sets the parts of a budget one by one. */
function mergeRetry(base: RetryOptions, over: RetryOptions): RetryOptions {
  const merged = mergeFields(base, over);
  if (!isObject(base) || !isObject(over)) return merged;
  const throttling = mergeUnlessOff(base.throttling, over.throttling, effectiveThrottling());
  const budget = mergeUnlessOff(base.budget, over.budget, effectiveBudget());
  return { ...merged, ...defined({ throttling, budget }) };
}

function mergeStreams(base: StreamOptions, over: StreamOptions): StreamOptions {
  const merged = mergeFields(base, over);
  if (!isObject(base) || !isObject(over)) return merged;
  const [below, above] = [base.rebalance, over.rebalance];
  const keeps = above === true && isObject(below);
  // `true` means the defaults, unless there is an object below it.
  const rebalance = keeps ? below : mergeUnlessOff(objectOf(below), objectOf(above), {});
  return { ...merged, ...defined({ rebalance }) };
}

function objectOf<T extends object>(value: T | boolean | undefined): T | object | false | undefined {
  return value === true ? {} : value;
}

/** How the aspects merge that have options within options. */
const MERGES: Readonly<Record<string, (base: object, over: object) => object>> = {
  retry: mergeRetry,
  streams: mergeStreams,
};

/** An object over `false` starts from the defaults, so that layers below the `false` cannot complete it. */
function mergeUnlessOff<T extends object>(
  base: T | false | undefined,
  over: T | false | undefined,
  defaults: object | undefined,
): T | false | undefined {
  if (over === undefined) return base;
  if (base === undefined || over === false) return over;
  if (base === false) return isObject(over) ? { ...defaults, ...(defined(over) as T) } : over;
  return mergeFields(base, over);
}
