import type { ServiceConfig } from '@grpc/grpc-js';

/** A method of the services of a client. */
export interface MethodInfo {
  /** The full name of the service, as in `orders.v1.Orders`. */
  readonly service: string;
  /** The name of the method, as in `Find`. */
  readonly method: string;
  /** Whether it streams responses; the default deadline does not apply then. */
  readonly responseStream: boolean;
  /** Whether it streams requests; it is not hedged then unless `hedge.methods` names it. */
  readonly requestStream?: boolean;
  /** Whether a call may run twice, as the proto file says by `idempotency_level`; `hedge` applies to it then. */
  readonly idempotent?: boolean;
}

export type MethodConfig = ServiceConfig['methodConfig'][number];

/** The user's own service config, as given in the channel options. */
export type GivenServiceConfig = Partial<Omit<ServiceConfig, 'methodConfig'>> & {
  readonly methodConfig?: readonly (Omit<MethodConfig, 'timeout'> & { readonly timeout?: unknown })[];
};

/** The method configs as grpc-js parses them from a service config. */
export function methodConfigsOf({ methodConfig = [] }: GivenServiceConfig): MethodConfig[] {
  return methodConfig.map(normalized);
}

/** The entry for one method. */
export function configOfMethod(
  configs: readonly MethodConfig[],
  service: string,
  method: string,
): MethodConfig | undefined {
  return configs.find(({ name }) => name.some((each) => each.service === service && each.method === method));
}

/** The entry for all methods of a service, or else for all methods. */
export function generalConfig(configs: readonly MethodConfig[], service: string): MethodConfig | undefined {
  const ofService = configs.find(({ name }) => name.some((each) => each.service === service && !each.method));
  return ofService ?? configs.find(({ name }) => name.some((each) => !each.service && !each.method));
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
