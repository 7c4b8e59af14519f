import type { ServiceConfig } from '@grpc/grpc-js';
import type { EffectiveLoadBalancing } from '../../core/options/load-balancing.js';
import { effectiveRetryPolicy, type RetryOptions, type RetryPolicyOptions } from '../../core/options/retry-options.js';
import { GRPC_LB } from './lb-config.js';

/** A method of the services of a client. */
export interface MethodInfo {
  /** The full name of the service, as in `orders.v1.Orders`. */
  readonly service: string;
  /** The name of the method, as in `Find`. */
  readonly method: string;
  /** Whether it streams responses; the default deadline does not apply then. */
  readonly responseStream: boolean;
  /** Whether it streams requests; the default deadline does not apply then. */
  readonly requestStream?: boolean;
}

type MethodConfig = ServiceConfig['methodConfig'][number];

/** The user's own service config, as given in the channel options. */
export type GivenServiceConfig = Partial<Omit<ServiceConfig, 'methodConfig'>> & {
  readonly methodConfig?: readonly (Omit<MethodConfig, 'timeout'> & { readonly timeout?: unknown })[];
};

/**
 * The service config of a client's methods: retries (gRFC A6) and default deadlines. An entry for a method in the
 * user's own service config wins.
 */
export function serviceConfigFor(
  { retry, deadline }: EffectiveLoadBalancing,
  methods: readonly MethodInfo[],
  given: GivenServiceConfig,
): ServiceConfig {
  const theirs = methodConfigsOf(given);
  const own = methods.map((info): MethodConfig => {
    const { service, method, responseStream } = info;
    const timeout = deadline?.methods?.[method] ?? (responseStream ? undefined : deadline?.timeout);
    return {
      name: [{ service, method }],
      ...(retry && retryPolicyOf(retry, method)),
      ...(timeout !== undefined && { timeout: durationOf(timeout) }),
    };
  });
  // grpc-js takes the most specific entry that matches, and merges nothing: so each entry includes the user's options
  // for all methods of the service.
  const merged = own
    .filter((config) => Object.keys(config).length > 1 && !isNamed(theirs, config))
    .map((config) => ({ ...generalConfig(theirs, config.name[0]!.service!), ...config }));
  const throttling =
    retry && retry.throttling !== false ? { maxTokens: 100, tokenRatio: 0.1, ...defined(retry.throttling) } : undefined;
  return {
    ...given,
    loadBalancingConfig: [{ [GRPC_LB]: {} }],
    methodConfig: [...theirs, ...merged],
    ...(throttling && !(given.retryThrottling && retry?.throttling === undefined) && { retryThrottling: throttling }),
  };
}

/** The method configs as grpc-js parses them from a service config. */
export function methodConfigsOf({ methodConfig = [] }: GivenServiceConfig): MethodConfig[] {
  return methodConfig.map(normalized);
}

/** The user's config for all methods of a service, or for all methods. */
function generalConfig(configs: readonly MethodConfig[], service: string): Partial<MethodConfig> {
  const ofService = configs.find(({ name }) => name.some((each) => each.service === service && !each.method));
  return ofService ?? configs.find(({ name }) => name.some((each) => !each.service && !each.method)) ?? {};
}

function defined<T extends object>(options: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function retryPolicyOf(retry: RetryOptions, method: string): Partial<MethodConfig> {
  const { methods, throttling: _, ...common } = retry;
  const special: RetryPolicyOptions | false | undefined = methods?.[method];
  if (special === false) return {};
  const { initialBackoff, maxBackoff, retryableStatusCodes, ...rest } = effectiveRetryPolicy({
    ...common,
    ...defined(special),
  });
  return {
    retryPolicy: {
      ...rest,
      initialBackoff: `${initialBackoff / 1000}s`,
      maxBackoff: `${Math.max(initialBackoff, maxBackoff) / 1000}s`,
      retryableStatusCodes: [...retryableStatusCodes],
    },
  };
}

/**
 * grpc-js converts the text of a timeout into a Duration when it validates a config from the channel options. Its
 * parser reads "0.05s" as 5 nanoseconds.
 */
function normalized(config: NonNullable<GivenServiceConfig['methodConfig']>[number]): MethodConfig {
  const { timeout, ...rest } = config;
  const duration = typeof timeout === 'string' ? durationOf(Number.parseFloat(timeout) * 1000) : timeout;
  return { ...rest, ...(duration !== undefined && { timeout: duration as MethodConfig['timeout'] }) };
}

function durationOf(milliseconds: number): NonNullable<MethodConfig['timeout']> {
  return { seconds: Math.floor(milliseconds / 1000), nanos: Math.round((milliseconds % 1000) * 1e6) };
}

function isNamed(configs: readonly MethodConfig[], { name: [own] }: MethodConfig): boolean {
  return configs.some(({ name }) =>
    name.some(({ service, method }) => service === own!.service && method === own!.method),
  );
}
