/**
 * The only file that uses grpc-js's `experimental` API. That API may change in any minor version, so the
 * parts that it needs are checked at load time (`capabilities.ts`).
 */
import { experimental, type ServiceConfig } from '@grpc/grpc-js';
import { assertCapabilities } from './capabilities.js';
import { outside } from './context/outside.js';
import { goawayReason, socketReason } from './endpoint/disconnect-reason.js';
import { restoreListenerHook } from './endpoint/session-events.js';

export type CallStream = experimental.CallStream;
export type ChannelControlHelper = experimental.ChannelControlHelper;
export type ConfigSelector = experimental.ConfigSelector;
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
/** One call on one connection. */
export type SubchannelCall = ReturnType<ReturnType<SubchannelInterface['getRealSubchannel']>['createCall']>;
export type TypedLoadBalancingConfig = experimental.TypedLoadBalancingConfig;

assertCapabilities(experimental);

export const {
  CHANNEL_ARGS_CONFIG_SELECTOR_KEY: CONFIG_SELECTOR_ATTRIBUTE,
  isLoadBalancerNameRegistered,
  PickResultType,
  registerLoadBalancerType,
  registerResolver,
  splitHostPort,
  statusOrFromError,
  statusOrFromValue,
  SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX,
} = experimental;

/** The available data of the HTTP/2 connection behind a READY subchannel. */
export interface PeerConnection {
  /** How many concurrent streams the peer allows (SETTINGS_MAX_CONCURRENT_STREAMS). */
  readonly maxConcurrentStreams: number | undefined;
  /** Bytes received in total. */
  readonly bytesRead: number;
  /** Bytes of received DATA for which no WINDOW_UPDATE has been sent yet. */
  readonly unacknowledgedData: number;
  /** Sends a PING; the answer shows in `bytesRead`. */
  ping(): void;
  /** Reports each PING and each answer, including those of grpc-js's keepalive. */
  onPing(listener: PingListener): void;
  /** Whether it takes no more streams, although grpc-js may not have heard of it. */
  readonly ended: boolean;
  readonly destroyed: boolean;
  destroy(): void;
  onClosed(listener: () => void): void;
  /** Drops the connection as grpc-js's keepalive does: its calls end with UNAVAILABLE. */
  drop(): void;
  /** Tells grpc-js that it has ended; calls that are still open on it go on. */
  reportEnd(): void;
  /** Calls back when the peer announces another limit. */
  onLimit(listener: (limit: number) => void): void;
  /** Calls back before the connection is lost with what is known of the reason, in the words of gRFC A94. */
  onGone(listener: (reason: string) => void): void;
}

export interface PingListener {
  sent(): void;
  answered(): void;
}

interface Transport {
  readonly session: Partial<Session>;
  handleDisconnect(): void;
  reportDisconnectToOwner(tooManyPings: boolean): void;
}

interface Session {
  readonly remoteSettings?: { maxConcurrentStreams?: number };
  readonly socket: {
    readonly bytesRead: number;
    prependListener(event: 'error', listener: (error: { readonly code?: string }) => void): void;
  };
  readonly destroyed: boolean;
  readonly closed: boolean;
  prependListener(event: 'goaway', listener: (code: number) => void): void;
  once(event: 'close', listener: () => void): void;
  on(event: 'remoteSettings', listener: (settings: { maxConcurrentStreams?: number }) => void): void;
  readonly state: { readonly effectiveRecvDataLength?: number };
  ping(callback: (error: Error | null, ...answer: unknown[]) => void): boolean;
  destroy(): void;
}

/**
 * The connection behind a READY subchannel. grpc-js does not expose its HTTP/2 session, so this reads private fields
 * defensively: it returns `undefined` if they are not as expected, and the features that need it are reduced or
 * disabled.
 */
export function peerConnection(subchannel: SubchannelInterface): PeerConnection | undefined {
  const { transport } = subchannel.getRealSubchannel() as unknown as { transport?: Partial<Transport> | null };
  const found = transport?.session;
  if (typeof found?.on !== 'function' || typeof found.ping !== 'function') return undefined;
  const session = found as Session;
  return {
    maxConcurrentStreams: session.remoteSettings?.maxConcurrentStreams,
    // A destroyed session has no socket.
    get bytesRead() {
      return session.destroyed ? -1 : session.socket.bytesRead;
    },
    get unacknowledgedData() {
      return session.state.effectiveRecvDataLength ?? 0;
    },
    ping() {
      if (!session.destroyed) session.ping(() => {});
    },
    onPing(listener) {
      const ping = session.ping.bind(session);
      session.ping = (callback) => {
        listener.sent();
        // grpc-js starts its keepalive in the context of a call, and each PING starts the timer for the next.
        return outside(() =>
          ping((error, ...answer) => {
            if (!error) listener.answered();
            callback(error, ...answer);
          }),
        );
      };
    },
    get ended() {
      return session.destroyed || session.closed;
    },
    get destroyed() {
      return session.destroyed;
    },
    destroy: () => session.destroy(),
    onClosed: (listener) => session.once('close', listener),
    reportEnd() {
      if (session.destroyed || typeof transport?.reportDisconnectToOwner !== 'function') this.drop();
      else transport.reportDisconnectToOwner(false);
    },
    drop() {
      if (typeof transport?.handleDisconnect === 'function') transport.handleDisconnect();
      else session.destroy();
    },
    onLimit(listener) {
      restoreListenerHook(session);
      session.on('remoteSettings', ({ maxConcurrentStreams }) => {
        if (typeof maxConcurrentStreams === 'number') listener(maxConcurrentStreams);
      });
    },
    onGone(listener) {
      // Before grpc-js's own listeners, which report the loss.
      session.prependListener('goaway', (code) => listener(goawayReason(code)));
      // Not that of the session, which passes no reset on.
      if (!session.destroyed) session.socket.prependListener('error', ({ code }) => listener(socketReason(code)));
    },
  };
}
