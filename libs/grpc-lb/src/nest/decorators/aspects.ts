import type { CriticalityLevel } from '../../core/call/criticality.js';
import type { OutlierEjectionOptions } from '../../core/options/ejection-options.js';
import type { HealthCheckOptions } from '../../core/options/health-options.js';
import type { HedgeOptions } from '../../core/options/hedge-options.js';
import type { LoadBalancingOptions } from '../../core/options/load-balancing.js';
import type { LocalityOptions } from '../../core/options/locality-options.js';
import type { ConnectionPoolOptions } from '../../core/options/pool-options.js';
import type { DeadlineOptions, RetryOptions } from '../../core/options/retry-options.js';
import type { SlowStartOptions } from '../../core/options/slow-start-options.js';
import type { SubsetOptions } from '../../core/options/subset-options.js';
import type { ThrottleOptions } from '../../core/options/throttle-options.js';
import { isObject } from '../../core/options/validation.js';
import type { TlsOptions } from '../../tls/options.js';
import { assertParentheses, type ClientDecorator, declareAspect, declareTls } from './metadata.js';

/** Values that are not objects are left to the check: spreading `'2s'` would make two options, `2` none. */
function copied<T extends object>(options: T): T {
  return isObject(options) ? { ...options } : options;
}

/**
 * Sets the connections to each endpoint.
 *
 * @example
 *   loadBalancing: { pool: connectionPool({ size: 2 }) }
 */
export function connectionPool(options: ConnectionPoolOptions): ConnectionPoolOptions {
  return copied(options);
}

/**
 * Sets the health checks.
 *
 * @example
 *   loadBalancing: { health: healthCheck({ service: 'orders.v1.Orders' }) }
 */
export function healthCheck(options: HealthCheckOptions = {}): HealthCheckOptions {
  return copied(options);
}

/**
 * Sets the ejection of endpoints whose calls fail.
 *
 * @example
 *   loadBalancing: { ejection: outlierEjection({ maxEjectionPercent: 30 }) }
 */
export function outlierEjection(options: OutlierEjectionOptions = {}): OutlierEjectionOptions {
  return copied(options);
}

/**
 * Sets the slow start of endpoints that join later, or return.
 *
 * @example
 *   loadBalancing: { slowStart: slowStart({ window: 30_000 }) }
 */
export function slowStart(options: SlowStartOptions = {}): SlowStartOptions {
  return copied(options);
}

/**
 * Sets the retries; each attempt is balanced, and avoids the endpoint that failed.
 *
 * @example
 *   loadBalancing: { retry: retry({ maxAttempts: 3 }) }
 */
export function retry(options: RetryOptions = {}): RetryOptions {
  return copied(options);
}

/**
 * Sets the hedging: a call that has no answer after a delay is also sent to another endpoint, and the first answer
 * counts. Applies to the methods that it names, and to those that the proto file marks as idempotent.
 *
 * @example
 *   loadBalancing: { hedge: hedge({ methods: { Find: true } }) }
 */
export function hedge(options: HedgeOptions = {}): HedgeOptions {
  return copied(options);
}

/**
 * Sets the throttling: while backends reject more calls of a method than they accept, the client refuses a part of them
 * itself.
 *
 * @example
 *   loadBalancing: { throttle: throttle() }
 */
export function throttle(options: ThrottleOptions = {}): ThrottleOptions {
  return copied(options);
}

/**
 * Sets the default deadlines of the client and of single methods.
 *
 * @example
 *   loadBalancing: { deadline: deadline({ timeout: 1000 }) }
 */
export function deadline(options: DeadlineOptions): DeadlineOptions {
  return copied(options);
}

/**
 * Sets the subset of the endpoints that this client uses.
 *
 * @example
 *   loadBalancing: { subset: subset({ size: 20 }) }
 */
export function subset(options: SubsetOptions): SubsetOptions {
  return copied(options);
}

/**
 * Sets how calls stay in the local zone.
 *
 * @example
 *   loadBalancing: { locality: locality({ zone: 'eu-central-1a' }) }
 */
export function locality(options: LocalityOptions = {}): LocalityOptions {
  return copied(options);
}

/** Sets the connections to each endpoint. Decorates a client class: `@ConnectionPool({ size: 2 })`. */
export const ConnectionPool: (options: ConnectionPoolOptions) => ClientDecorator = decorator(
  '@ConnectionPool',
  (options: ConnectionPoolOptions) => ({ pool: connectionPool(options) }),
);

/** Sets the health checks. Decorates a client class: `@HealthCheck({ service: 'orders.v1.Orders' })`. */
export const HealthCheck: (options?: HealthCheckOptions) => ClientDecorator = decorator(
  '@HealthCheck',
  (options?: HealthCheckOptions) => ({ health: healthCheck(options) }),
);

/**
 * Sets the ejection of endpoints whose calls fail. Decorates a client class: `@OutlierEjection({ maxEjectionPercent: 30
 * })`.
 */
export const OutlierEjection: (options?: OutlierEjectionOptions) => ClientDecorator = decorator(
  '@OutlierEjection',
  (options?: OutlierEjectionOptions) => ({ ejection: outlierEjection(options) }),
);

/**
 * Sets the slow start of endpoints that join later, or return. Decorates a client class: `@SlowStart({ window: 30_000
 * })`.
 */
export const SlowStart: (options?: SlowStartOptions) => ClientDecorator = decorator(
  '@SlowStart',
  (options?: SlowStartOptions) => ({ slowStart: slowStart(options) }),
);

/**
 * Sets the retries; each attempt is balanced, and avoids the endpoint that failed. Decorates a client class: `@Retry({
 * maxAttempts: 3 })`.
 */
export const Retry: (options?: RetryOptions) => ClientDecorator = decorator('@Retry', (options?: RetryOptions) => ({
  retry: retry(options),
}));

/**
 * Sets the hedging: a call that has no answer after a delay is also sent to another endpoint, and the first answer
 * counts. Decorates a client class: `@Hedge({ methods: { Find: true } })`.
 */
export const Hedge: (options?: HedgeOptions) => ClientDecorator = decorator('@Hedge', (options?: HedgeOptions) => ({
  hedge: hedge(options),
}));

/**
 * Sets the throttling: while backends reject more calls of a method than they accept, the client refuses a part of them
 * itself. Decorates a client class: `@Throttle()`.
 */
export const Throttle: (options?: ThrottleOptions) => ClientDecorator = decorator(
  '@Throttle',
  (options?: ThrottleOptions) => ({ throttle: throttle(options) }),
);

/**
 * Sets the default deadlines of the client and of single methods. Decorates a client class: `@Deadline({ timeout: 1000
 * })`.
 */
export const Deadline: (options: DeadlineOptions) => ClientDecorator = decorator(
  '@Deadline',
  (options: DeadlineOptions) => ({ deadline: deadline(options) }),
);

/** Sets the subset of the endpoints that this client uses. Decorates a client class: `@Subset({ size: 20 })`. */
export const Subset: (options: SubsetOptions) => ClientDecorator = decorator('@Subset', (options: SubsetOptions) => ({
  subset: subset(options),
}));

/** Sets how calls stay in the local zone. Decorates a client class: `@Locality({ zone: 'eu-central-1a' })`. */
export const Locality: (options?: LocalityOptions) => ClientDecorator = decorator(
  '@Locality',
  (options?: LocalityOptions) => ({ locality: locality(options) }),
);

/**
 * Sets TLS of a client.
 *
 * @example
 *   tls: tls({ ca: '/etc/tls/ca.crt', cert: '/etc/tls/tls.crt', key: '/etc/tls/tls.key' })
 */
export function tls(options: TlsOptions = {}): TlsOptions {
  return copied(options);
}

/** Sets TLS of a client. Decorates a client class: `@Tls({ ca: '/etc/tls/ca.crt' })`. */
export const Tls = (options: TlsOptions = {}): ClientDecorator => {
  assertParentheses('@Tls', options);
  return declareTls('@Tls', tls(options));
};

/**
 * Says how important the calls are: servers that shed load refuse the least important ones first. Decorates a client
 * class: `@Criticality('sheddable')`.
 */
export const Criticality: (level: CriticalityLevel) => ClientDecorator = decorator(
  '@Criticality',
  (level: CriticalityLevel) => ({ criticality: level }),
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
