/**
 * The one file that knows grpc-js's `experimental` API. It may change in any minor version, so what is needed of it
 * is checked when this file is loaded, and the error says which versions are known to work.
 */
import { experimental, type ServiceConfig } from '@grpc/grpc-js';

export type ChannelControlHelper = experimental.ChannelControlHelper;
export type GrpcEndpoint = experimental.Endpoint;
export type GrpcUri = experimental.GrpcUri;
export type LoadBalancer = experimental.LoadBalancer;
export type PickArgs = experimental.PickArgs;
export type Picker = experimental.Picker;
export type PickResult = experimental.PickResult;
export type Resolver = experimental.Resolver;
export type ResolverListener = experimental.ResolverListener;
export type { ServiceConfig };
export type StatusOr<T> = experimental.StatusOr<T>;
export type SubchannelInterface = experimental.SubchannelInterface;
export type TypedLoadBalancingConfig = experimental.TypedLoadBalancingConfig;

export const SUPPORTED_GRPC_JS = '^1.14.0';

const REQUIRED = {
  registerLoadBalancerType: 'function',
  isLoadBalancerNameRegistered: 'function',
  registerResolver: 'function',
  statusOrFromValue: 'function',
  statusOrFromError: 'function',
  subchannelAddressToString: 'function',
  PickResultType: 'object',
  SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX: 'string',
} as const;

/** Throws an error that names what `api` lacks, and the versions of grpc-js that have it. */
export function assertCapabilities(api: Readonly<Record<string, unknown>> | undefined): void {
  const missing = Object.entries(REQUIRED)
    .filter(([name, type]) => typeof api?.[name] !== type)
    .map(([name]) => name);
  if (missing.length === 0) return;
  throw new Error(
    `nestjs-grpc-lb needs @grpc/grpc-js ${SUPPORTED_GRPC_JS}: the installed version lacks experimental.${missing.join(', experimental.')}. ` +
      `Install a supported version with "npm install @grpc/grpc-js@${SUPPORTED_GRPC_JS}".`,
  );
}

assertCapabilities(experimental);

export const {
  isLoadBalancerNameRegistered,
  PickResultType,
  registerLoadBalancerType,
  registerResolver,
  statusOrFromError,
  statusOrFromValue,
  SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX,
} = experimental;

/**
 * How many streams the peer allows on the connection behind a READY subchannel, and a call-back for when that
 * changes. grpc-js keeps its HTTP/2 session to itself, so this reads private fields, carefully: `undefined` where they
 * are not as expected, and the caller falls back on its configuration.
 */
export function peerStreamLimit(
  subchannel: SubchannelInterface,
  onChange: (limit: number) => void,
): number | undefined {
  const session = http2Session(subchannel);
  const limit = session?.remoteSettings?.maxConcurrentStreams;
  if (session === undefined || typeof limit !== 'number') return undefined;
  session.on('remoteSettings', (settings) => {
    if (typeof settings.maxConcurrentStreams === 'number') onChange(settings.maxConcurrentStreams);
  });
  return limit;
}

interface Http2SessionLike {
  remoteSettings?: { maxConcurrentStreams?: number };
  on(event: 'remoteSettings', listener: (settings: { maxConcurrentStreams?: number }) => void): void;
}

function http2Session(subchannel: SubchannelInterface): Http2SessionLike | undefined {
  const real = subchannel.getRealSubchannel() as unknown as {
    transport?: { session?: Partial<Http2SessionLike> } | null;
  };
  const session = real.transport?.session;
  return typeof session?.on === 'function' ? (session as Http2SessionLike) : undefined;
}
