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
  /** It streams responses, so the default deadline does not apply to it. */
  readonly responseStream: boolean;
  /** It streams requests, so the default deadline does not apply to it. */
  readonly requestStream?: boolean;
}

type MethodConfig = ServiceConfig['methodConfig'][number];

/** The user's own service config, as given with the channel options. */
export type GivenServiceConfig = Partial<Omit<ServiceConfig, 'methodConfig'>> & {
  readonly methodConfig?: readonly (Omit<MethodConfig, 'timeout'> & { readonly timeout?: unknown })[];
};

/**
 * What grpc-js needs to know of a client's methods: retries (gRFC A6) and default deadlines. Where the user's own
 * service config names a method, that stands.
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
  // grpc-js takes the most specific entry that matches, and merges nothing: so what the user says of all methods of a
  // service is part of each.
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

/** As grpc-js has them when it has checked a service config. */
export function methodConfigsOf({ methodConfig = [] }: GivenServiceConfig): MethodConfig[] {
  return methodConfig.map(normalized);
}

/** What the user's service config says of all methods of a service, or of all. */
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
 * grpc-js turns the text of a timeout into a Duration when it checks a config that stands in the channel options. Its
 * own reading takes "0.05s" for 5 nanoseconds.
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
