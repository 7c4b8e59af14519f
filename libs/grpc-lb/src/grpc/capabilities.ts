import { Metadata } from '@grpc/grpc-js';
import { GrpcLbPeerError } from '../core/errors.js';

/** The versions of @grpc/grpc-js whose experimental API this package supports. */
export const SUPPORTED_GRPC_JS = '^1.14.0';

const EXPERIMENTAL = {
  registerLoadBalancerType: 'function',
  isLoadBalancerNameRegistered: 'function',
  registerResolver: 'function',
  splitHostPort: 'function',
  statusOrFromValue: 'function',
  statusOrFromError: 'function',
  PickResultType: 'object',
  CHANNEL_ARGS_CONFIG_SELECTOR_KEY: 'string',
  SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX: 'string',
} as const;

/** What a call uses of the stream that `createCall` returns. */
const STREAM = [
  'cancelWithStatus',
  'getAuthContext',
  'getPeer',
  'halfClose',
  'sendMessageWithContext',
  'startRead',
] as const;

/** Throws an error that lists what `api` and the metadata lack, and the grpc-js versions that have it. */
export function assertCapabilities(
  api: Readonly<Record<string, unknown>> | undefined,
  metadata: Partial<Pick<Metadata, 'toHttp2Headers'>> = Metadata.prototype,
): void {
  const missing = Object.entries(EXPERIMENTAL)
    .filter(([name, type]) => typeof api?.[name] !== type)
    .map(([name]) => `experimental.${name}`);
  if (typeof metadata.toHttp2Headers !== 'function') missing.push('Metadata.toHttp2Headers');
  if (missing.length > 0) throw unsupported(`lacks ${missing.join(', ')}`);
}

/**
 * Says why calls cannot be made on a new connection; undefined if they can. The class behind it is not exported, so it
 * cannot be checked at load time.
 */
export function connectionFault(subchannel: { getRealSubchannel(): object }): string | undefined {
  const { createCall } = subchannel.getRealSubchannel() as { createCall?: unknown };
  return typeof createCall === 'function' ? undefined : unsupported('lacks Subchannel.createCall').message;
}

/** Whether a stream has been found to be as expected: all others of this process are of the same class. */
let isProven = false;

/**
 * Throws unless `error`, of `createCall`, may be that of a connection that cannot take another call.
 *
 * @throws GrpcLbPeerError
 */
export function assertNotMisunderstood(error: unknown, headers: { readonly asked: boolean }): void {
  // A lost connection throws an Error before it asks for headers, and a session throws after it.
  if (isProven || headers.asked || !(error instanceof TypeError)) return;
  throw unsupported(
    `has another Subchannel.createCall than (metadata, host, method, listener), or takes the headers of a call from elsewhere than Metadata.toHttp2Headers: ${error.message}`,
  );
}

/**
 * Checks the first stream before anything is sent on it.
 *
 * @param headers Whether grpc-js has asked for the headers. Otherwise the call would go out without its metadata.
 * @throws GrpcLbPeerError
 */
export function assertStream(stream: object, headers: { readonly asked: boolean }): void {
  if (isProven) return;
  const missing = STREAM.filter((name) => typeof (stream as Record<string, unknown>)[name] !== 'function');
  if (missing.length > 0) throw unsupported(`lacks ${missing.map((name) => `SubchannelCall.${name}`).join(', ')}`);
  if (!headers.asked)
    throw unsupported('does not ask Metadata.toHttp2Headers for the headers of a call, so they would be lost');
  isProven = true;
}

function unsupported(what: string): GrpcLbPeerError {
  return new GrpcLbPeerError(
    'GRPC_LB_PEER_UNSUPPORTED',
    `nestjs-grpc-lb needs @grpc/grpc-js ${SUPPORTED_GRPC_JS}: the installed version ${what}; ` +
      `install a supported version: npm install @grpc/grpc-js@${SUPPORTED_GRPC_JS}`,
  );
}
