import { type PolicyConfig, type PolicyName, policyCheck } from './policy-config.js';
import { type ConnectionPoolOptions, type EffectivePoolOptions, effectivePool, poolCheck } from './pool-options.js';
import { type Check, type Fault, fields, GrpcLbOptionsError } from './validation.js';

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

/** Fills in the defaults of options that have been checked. */
export function effectiveLoadBalancing(options: LoadBalancingOptions = {}): EffectiveLoadBalancing {
  const policy = options.policy ?? 'least_request';
  return {
    policy: typeof policy === 'string' ? { name: policy } : policy,
    pool: effectivePool(options.pool),
  };
}

/** Throws a `GrpcLbOptionsError` that lists all the faults. */
export function assertLoadBalancing(subject: string, options: unknown, path = 'loadBalancing'): asserts options is LoadBalancingOptions {
  const faults: Fault[] = [];
  loadBalancingCheck(path, options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError(subject, faults);
}

/** `over` wins field by field within `pool`, and as a whole for `policy`. */
export function mergeLoadBalancing(base: LoadBalancingOptions = {}, over: LoadBalancingOptions = {}): LoadBalancingOptions {
  return {
    ...base,
    ...defined(over),
    ...((base.pool ?? over.pool) && { pool: { ...base.pool, ...defined(over.pool ?? {}) } }),
  };
}

function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
