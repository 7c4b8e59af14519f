import { type PolicyConfig, type PolicyName, policyCheck } from './policy-config.js';
import { type ConnectionPoolOptions, type EffectivePoolOptions, effectivePool, poolCheck } from './pool-options.js';
import { type Check, type Fault, fields, GrpcLbOptionsError, isObject } from './validation.js';

/** How one client balances: the value of the `loadBalancing` key, and what the decorators write. */
export interface LoadBalancingOptions {
  /** Which endpoint gets a call. Default `least_request`. */
  readonly policy?: PolicyConfig | PolicyName;
  /** Connections to each endpoint. */
  readonly pool?: ConnectionPoolOptions;
}

/** The same with every default filled in. */
export interface EffectiveLoadBalancing {
  readonly policy: PolicyConfig;
  readonly pool: EffectivePoolOptions;
}

export const loadBalancingCheck: Check = fields({ policy: policyCheck, pool: poolCheck });

/** For `fields` of what `loadBalancing` is a part of: its own fields, one level too high. */
export const IN_LOAD_BALANCING = { policy: 'loadBalancing', pool: 'loadBalancing' };

/** Fills in the defaults of options that have been checked. */
export function effectiveLoadBalancing(options: LoadBalancingOptions = {}): EffectiveLoadBalancing {
  const policy = options.policy ?? 'least_request';
  return {
    policy: typeof policy === 'string' ? { name: policy } : policy,
    pool: effectivePool(options.pool),
  };
}

/** Throws a `GrpcLbOptionsError` that lists all the faults. */
export function assertLoadBalancing(
  subject: string,
  options: unknown,
  path = 'loadBalancing',
): asserts options is LoadBalancingOptions {
  const faults: Fault[] = [];
  loadBalancingCheck(path, options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError(subject, faults);
}

/**
 * `over` wins field by field within `pool`, and as a whole for `policy`; what is undefined says nothing. What is no
 * object cannot be merged, and is kept for the check that follows.
 */
export function mergeLoadBalancing(
  base: LoadBalancingOptions = {},
  over: LoadBalancingOptions = {},
): LoadBalancingOptions {
  const merged = mergeFields(base, over);
  if (!isObject(base) || !isObject(over) || base.pool === undefined || over.pool === undefined) return merged;
  return { ...merged, pool: mergeFields(base.pool, over.pool) };
}

function mergeFields<T extends object>(base: T, over: T): T {
  if (!isObject(base)) return base;
  if (!isObject(over)) return over;
  const said = Object.entries(over).filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(said) };
}
