import type { HandshakeResult } from './connection/handshake-result.js';
import type { ThrottleState } from './call/call-throttle.js';
import type { Locality } from './endpoint.js';
import type { AttemptsByCriticality } from './load/shed-attempts.js';
import type { EffectiveLoadBalancing } from './options/load-balancing.js';
import type { ClientTotals } from './totals.js';

/**
 * The state of a client. `idle`: not connected yet, if the client does not connect early. `connecting`: until the first
 * connection is ready. `ready`: calls are sent, to endpoints that are ready, or in panic to all that are connected.
 * `transient_failure`: no endpoint can be called, and calls end with UNAVAILABLE. `shutdown`: closed.
 */
export type ClientState = 'idle' | 'connecting' | 'ready' | 'transient_failure' | 'shutdown';

/**
 * The state of an endpoint. `connecting`: no connection yet. `ready`: gets calls. `degraded`: answers, but discovery or
 * the endpoint itself says that others are better, so it gets calls only while they cannot carry all. `not_serving`:
 * connected, but its health service reports that it does not serve. `suspect`: connected, but silent, so it gets no new calls until it
 * answers. `ejected`: gets no calls for a while, because calls to it failed, then one as a probe. `transient_failure`:
 * the last attempt to connect failed; the next one follows. `draining`: no longer in discovery; gets no new calls, and
 * is removed when its calls have ended.
 */
export type EndpointState =
  | 'connecting'
  | 'ready'
  | 'degraded'
  | 'not_serving'
  | 'suspect'
  | 'ejected'
  | 'transient_failure'
  | 'draining';

/** The state of a connection. `retiring`: gets no new calls, and closes when its calls have ended. */
export type ConnectionState = 'connecting' | 'ready' | 'transient_failure' | 'retiring';

/**
 * The health of the peer, as its health service reports it. `unknown`: no answer yet. `not_offered`: the server has no
 * health service, refuses the watch, or allows too few streams for it. `disabled`: `health.enabled` is false. With the
 * last two the peer counts as healthy while it is connected.
 */
export type ConnectionHealth = 'unknown' | 'serving' | 'not_serving' | 'not_offered' | 'disabled';

/** One HTTP/2 connection to an endpoint. */
export interface ConnectionSnapshot {
  /** Unique within the client, in the order in which connections were opened. */
  readonly id: number;
  /** The state of the connection. */
  readonly state: ConnectionState;
  /** The health of the peer. */
  readonly health: ConnectionHealth;
  /** Calls in flight on this connection. */
  readonly inFlight: number;
  /** Maximum number of concurrent calls: the limit of the peer, or a lower configured one. */
  readonly maxConcurrentStreams: number;
  /** Milliseconds since it became ready; null before. */
  readonly ageMs: number | null;
}

/** The streams of one endpoint that last, such as subscriptions: open for ten seconds, or known to be of that kind. */
export interface StreamsSnapshot {
  /** How many are open. */
  readonly open: number;
  /** Milliseconds since the oldest one was opened at this endpoint; null if there is none. */
  readonly oldestMs: number | null;
  /** The same for the median. */
  readonly medianMs: number | null;
}

/** One endpoint of a client. */
export interface EndpointSnapshot {
  /** `host:port`, `[ipv6]:port` or `unix:path` */
  readonly address: string;
  /** The state of the endpoint. */
  readonly state: EndpointState;
  /** When it entered that state, in milliseconds since the epoch. */
  readonly since: number;
  /** Why it is in that state, for people; null if there is nothing to say. */
  readonly reason: string | null;
  /** The load-balancing weight from discovery. */
  readonly weight: number;
  /** The priority; 0 is used first. */
  readonly priority: number;
  /** Where it runs; null if discovery does not report it. */
  readonly locality: Locality | null;
  /**
   * Progress of its slow start, from 0 to 1; 1 when it is over. Its share may be larger, so that others are not
   * overloaded.
   */
  readonly warmth: number;
  /** Recent failure rate, from 0 to 1. */
  readonly failureRate: number;
  /** Share of its last calls (at most 32) that it refused, with a status that is neither OK nor a failure, from 0 to 1. */
  readonly refusalRate: number;
  /** Calls in flight: picked and not ended, including streams and retries. */
  readonly inFlight: number;
  /** Its streams that last. */
  readonly streams: StreamsSnapshot;
  /** Attempts since the endpoint joined. */
  readonly started: number;
  /** Attempts since the endpoint joined that ended without a failure of the endpoint. */
  readonly succeeded: number;
  /** Attempts since the endpoint joined that failed. */
  readonly failed: number;
  /** Attempts since the endpoint joined that it has shed, because it had too much to do; they count in `failed` too. */
  readonly shed: AttemptsByCriticality;
  /** Whether it has shed any within the last ten seconds. */
  readonly shedding: boolean;
  /** Its connections. */
  readonly connections: readonly ConnectionSnapshot[];
}

/**
 * The state of discovery. `pending`: no answer yet. `ok`: the last answer is in use. `stale`: the last lookup failed or
 * returned no endpoints, and an older list is in use. `failed`: there has never been a usable list.
 */
export type SourceState = 'pending' | 'ok' | 'stale' | 'failed';

/** Discovery of one target, or of all targets of a client together. */
export interface SourceSnapshot {
  /** The target, without secrets. */
  readonly target: string;
  /** The scheme of the target: `dns`, `static`, ... */
  readonly kind: string;
  /** The state of discovery. */
  readonly state: SourceState;
  /** When the last good list arrived, in milliseconds since the epoch; null before the first. */
  readonly lastUpdate: number | null;
  /** Milliseconds since the last good list while the state is `stale`; null otherwise. */
  readonly staleForMs: number | null;
  /** What is wrong now; also while `ok`, if part of the list was dropped. Null if nothing is. */
  readonly error: string | null;
  /**
   * Whether the only endpoint looks like the cluster IP of a Kubernetes Service, so that all calls over one connection
   * reach one pod. Known for `dns` targets.
   */
  readonly clusterIp: boolean;
  /** Endpoints dropped since the start because they were invalid, or because the list was too long. */
  readonly dropped: number;
  /** Endpoints in the last good list. */
  readonly endpoints: number;
  /** Good answers since the start. */
  readonly updates: number;
  /** Failed answers since the start. */
  readonly failures: number;
}

/** The endpoints of one priority. They are used before those of the next one. */
export interface PrioritySnapshot {
  /** The priority; 0 is used first. */
  readonly priority: number;
  /** Share of all calls that goes to this priority, from 0 to 1. */
  readonly share: number;
  /** Endpoints in use: all of them, or the subset. */
  readonly endpoints: number;
  /** Endpoints in use that are healthy. */
  readonly healthy: number;
  /** Endpoints in use that are degraded: they get calls only while the healthy ones of all priorities cannot carry all. */
  readonly degraded: number;
  /** Share of the calls of this priority that goes to other zones, from 0 to 1; null if zones are ignored. */
  readonly crossZoneShare: number | null;
}

/**
 * The state of certificates. `pending`: their provider has not answered yet. `ok`: what was read last is in force.
 * `rejected`: what was read last cannot be used, and the last good ones are in force. `failed`: there have never been
 * usable ones, so that no connection can be made.
 */
export type CertificateState = 'pending' | 'ok' | 'rejected' | 'failed';

/** The certificates of a client or a server. It contains no key. */
export interface CertificateSnapshot {
  /** The state of the certificates. */
  readonly state: CertificateState;
  /** Why what was read last cannot be used, and what to do; null if it is in force. */
  readonly error: string | null;
  /** The first name in the own certificate, as in `spiffe://example.org/orders`; null if there is none. */
  readonly name: string | null;
  /** SHA-256 of the own certificate, in hexadecimal; null if there is none. */
  readonly fingerprint: string | null;
  /** When the own certificate, or one of those sent with it, expires, in milliseconds since the epoch; null if there is none. */
  readonly expires: number | null;
  /** Milliseconds until then, negative afterwards; null if there is none. */
  readonly expiresInMs: number | null;
  /** Whether that is less than `expiryWarning`. */
  readonly expiring: boolean;
  /** How many CAs are trusted; null for those of the system. */
  readonly authorities: number | null;
  /** When the last of them expires, in milliseconds since the epoch; null for those of the system. */
  readonly authoritiesExpire: number | null;
  /** When the certificates were last found good, in milliseconds since the epoch; null before. */
  readonly lastUpdate: number | null;
  /** How often other certificates came into force since the start. */
  readonly rotations: number;
  /** How often certificates were found that cannot be used. */
  readonly rejections: number;
}

/** TLS of a server. */
export interface ServerTlsSnapshot extends CertificateSnapshot {
  /** Handshakes that have failed since the start, without connections on which nothing was sent. */
  readonly refusedHandshakes: number;
  /** All handshakes since the start, by how they ended, in the words of gRFC A118; without such connections as well. */
  readonly handshakes: Readonly<Partial<Record<HandshakeResult, number>>>;
}

/** TLS of a client. */
export interface TlsSnapshot extends CertificateSnapshot {
  /** Open connections that were made with earlier certificates. */
  readonly outdatedConnections: number;
  /** Why the last attempt to replace such a connection failed; null if none has, or all are replaced. */
  readonly replacementError: string | null;
}

/** The throttle of one method. */
export interface ThrottleSnapshot {
  /** As in `/orders.v1.Orders/Find`; `other` for all methods beyond the first thousand. */
  readonly method: string;
  /** Whether the client declares the method: it has the service, or was created with it in `methods`. */
  readonly declared: boolean;
  /** Whether calls are refused. */
  readonly state: ThrottleState;
  /** Calls that ended or were refused, within `window`. */
  readonly requests: number;
  /** Those of them that backends accepted. */
  readonly accepts: number;
  /** Milliseconds over which they are counted at present. */
  readonly window: number;
  /** Calls that were refused since the start. */
  readonly refused: number;
}

/** The state of one client. Terminus, metrics and pages read only this and the events. */
export interface ClientSnapshot {
  /** The name of the client. */
  readonly client: string;
  /** Its target, without secrets; several targets are separated by spaces. */
  readonly target: string;
  /** The state of the client. */
  readonly state: ClientState;
  /**
   * The options in force, including defaults; null with `xds:`, where the control plane decides and does not report
   * how.
   */
  readonly loadBalancing: EffectiveLoadBalancing | null;
  /**
   * Discovery as a whole; of several targets the sums. `stale` if one target fails while there are endpoints, even if
   * only those of others; `failed` if one fails and there are none. `sources` shows which.
   */
  readonly source: SourceSnapshot;
  /** Each target by itself, in the order of priority. */
  readonly sources: readonly SourceSnapshot[];
  /** The priorities whose endpoints are connected. */
  readonly priorities: readonly PrioritySnapshot[];
  /** The local zone; null if it is unknown. */
  readonly zone: string | null;
  /** Calls in flight on all endpoints, including draining ones. */
  readonly inFlight: number;
  /**
   * Calls that wait for an endpoint, or for their call credentials, at this moment. With `xds:` only those that wait because every connection is at its
   * stream limit, as an upper bound: a call that gave up may still count.
   */
  readonly pending: number;
  /** Too few endpoints are healthy, so calls go to all that are connected. */
  readonly panic: boolean;
  /** Milliseconds between the keepalive PINGs of a connection; null if it sends none. */
  readonly keepaliveTime: number | null;
  /** TLS by the `tls` option; absent without it. */
  readonly tls?: TlsSnapshot;
  /** What happened since the start. */
  readonly totals: ClientTotals;
  /** The endpoints in the order of discovery, then the draining ones. */
  readonly endpoints: readonly EndpointSnapshot[];
  /** The throttles of the methods that have had calls recently; absent if calls are not throttled. */
  readonly throttles?: readonly ThrottleSnapshot[];
  /** Addresses that `drain()` has taken out of use, although discovery lists them; absent if there are none. */
  readonly drained?: readonly string[];
}
