import type { OutlierEjectionOptions } from '../../core/options/ejection-options.js';
import type { HealthCheckOptions } from '../../core/options/health-options.js';
import type { LoadBalancingOptions } from '../../core/options/load-balancing.js';
import type { LocalityOptions } from '../../core/options/locality-options.js';
import type { ConnectionPoolOptions } from '../../core/options/pool-options.js';
import type { DeadlineOptions, RetryOptions } from '../../core/options/retry-options.js';
import type { SlowStartOptions } from '../../core/options/slow-start-options.js';
import type { SubsetOptions } from '../../core/options/subset-options.js';
import { isObject } from '../../core/options/validation.js';
import { assertParentheses, type ClientDecorator, declareAspect } from './metadata.js';

/** What is no object is left for the check: the spread of `'2s'` would be two options, of `2` none. */
function copied<T extends object>(options: T): T {
  return isObject(options) ? { ...options } : options;
}

/** The connections to each endpoint. For `loadBalancing: { pool: connectionPool({ size: 2 }) }`. */
export function connectionPool(options: ConnectionPoolOptions): ConnectionPoolOptions {
  return copied(options);
}

/** Which endpoints are well, as they say themselves. For `loadBalancing: { health: healthCheck({ service }) }`. */
export function healthCheck(options: HealthCheckOptions = {}): HealthCheckOptions {
  return copied(options);
}

/** Which endpoints are left out because calls to them fail. For `loadBalancing: { ejection: outlierEjection() }`. */
export function outlierEjection(options: OutlierEjectionOptions = {}): OutlierEjectionOptions {
  return copied(options);
}

/** How an endpoint that joins later gets its share. For `loadBalancing: { slowStart: slowStart({ window: 30_000 }) }`. */
export function slowStart(options: SlowStartOptions = {}): SlowStartOptions {
  return copied(options);
}

/** Which calls are sent again when they fail. For `loadBalancing: { retry: retry({ maxAttempts: 3 }) }`. */
export function retry(options: RetryOptions = {}): RetryOptions {
  return copied(options);
}

/** Default deadlines. For `loadBalancing: { deadline: deadline({ timeout: 1000 }) }`. */
export function deadline(options: DeadlineOptions): DeadlineOptions {
  return copied(options);
}

/** How many of the endpoints this client uses, and which. For `loadBalancing: { subset: subset({ size: 20 }) }`. */
export function subset(options: SubsetOptions): SubsetOptions {
  return copied(options);
}

/** How calls stay in the client's own zone. For `loadBalancing: { locality: locality({ zone: 'eu-central-1a' }) }`. */
export function locality(options: LocalityOptions = {}): LocalityOptions {
  return copied(options);
}

/** The connections to each endpoint. */
export const ConnectionPool: (options: ConnectionPoolOptions) => ClientDecorator = decorator(
  '@ConnectionPool',
  (options: ConnectionPoolOptions) => ({ pool: connectionPool(options) }),
);

/** Which endpoints are well, as they say themselves. */
export const HealthCheck: (options?: HealthCheckOptions) => ClientDecorator = decorator(
  '@HealthCheck',
  (options?: HealthCheckOptions) => ({ health: healthCheck(options) }),
);

/** Which endpoints are left out for a while, because calls to them fail. */
export const OutlierEjection: (options?: OutlierEjectionOptions) => ClientDecorator = decorator(
  '@OutlierEjection',
  (options?: OutlierEjectionOptions) => ({ ejection: outlierEjection(options) }),
);

/** How an endpoint that joins later, or comes back, gets its share. */
export const SlowStart: (options?: SlowStartOptions) => ClientDecorator = decorator(
  '@SlowStart',
  (options?: SlowStartOptions) => ({ slowStart: slowStart(options) }),
);

/** Which calls are sent again when they fail; each attempt is balanced, and avoids the endpoint that failed. */
export const Retry: (options?: RetryOptions) => ClientDecorator = decorator('@Retry', (options?: RetryOptions) => ({
  retry: retry(options),
}));

/** Default deadlines for the client and for single methods. */
export const Deadline: (options: DeadlineOptions) => ClientDecorator = decorator(
  '@Deadline',
  (options: DeadlineOptions) => ({ deadline: deadline(options) }),
);

/** How many of the endpoints this client uses, and which. */
export const Subset: (options: SubsetOptions) => ClientDecorator = decorator('@Subset', (options: SubsetOptions) => ({
  subset: subset(options),
}));

/** How calls stay in the client's own zone, and when they leave it. */
export const Locality: (options?: LocalityOptions) => ClientDecorator = decorator(
  '@Locality',
  (options?: LocalityOptions) => ({ locality: locality(options) }),
);

function decorator<Options extends unknown[]>(
  name: string,
  aspect: (...options: Options) => LoadBalancingOptions,
): (...options: Options) => ClientDecorator {
  return (...options) => {
    assertParentheses(name, options[0]);
    return declareAspect(name, aspect(...options));
  };
}
