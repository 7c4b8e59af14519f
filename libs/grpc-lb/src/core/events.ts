import type { ClientState, EndpointState } from './snapshot.js';
import type { MoveReason } from './streams/placed-stream.js';

/** The fields of every event. */
export interface LbEventBase {
  /** The name of the client. */
  readonly client: string;
  /** When it happened, in milliseconds since the epoch. */
  readonly time: number;
}

/** The fields of every event that concerns one endpoint. */
export interface LbEndpointEventBase extends LbEventBase {
  /** The address of the endpoint: `host:port`, `[ipv6]:port` or `unix:path`. */
  readonly address: string;
}

/**
 * What a client uses of a target while its discovery fails. `last`: the last good list, until discovery recovers.
 * `leaving`: that list for another 30 s, because an authority reports no endpoints. `part`: the valid endpoints of the
 * new list. `none`: there has never been a list.
 */
export type ListInUse = 'last' | 'leaving' | 'part' | 'none';

/**
 * Why the health of a server is not watched. UNIMPLEMENTED: it has no health service. UNAUTHENTICATED,
 * PERMISSION_DENIED: it refuses the watch. STREAM_LIMIT: it allows too few streams on a connection for a watch and
 * calls.
 */
export type HealthNotOffered = 'UNIMPLEMENTED' | 'UNAUTHENTICATED' | 'PERMISSION_DENIED' | 'STREAM_LIMIT';

/**
 * Something that happened to a client; a union that is discriminated by `type`.
 *
 * @example
 *   registry.events$.subscribe((event) => {
 *     if (event.type === 'endpoint_state') console.log(event.address, event.to, event.reason);
 *   });
 */
export type LbEvent =
  /** The state of the client as a whole changed. */
  | (LbEventBase & {
      readonly type: 'client_state';
      readonly from: ClientState;
      readonly to: ClientState;
      /** Why calls fail from now on; null if they do not, or if another library does not report it. */
      readonly reason: string | null;
    })
  /** Discovery returned a list that differs from the last one. */
  | (LbEventBase & {
      readonly type: 'discovery_updated';
      readonly added: number;
      readonly removed: number;
      readonly total: number;
    })
  /** Discovery failed, returned no endpoints, or invalid ones. At most one in ten seconds for each target. */
  | (LbEventBase & {
      readonly type: 'discovery_failed';
      readonly target: string;
      readonly error: string;
      readonly uses: ListInUse;
    })
  /** Discovery works again after a `discovery_failed`. */
  | (LbEventBase & { readonly type: 'discovery_recovered'; readonly target: string })
  /** Discovery works, but something needs attention. Once for each text. */
  | (LbEventBase & {
      readonly type: 'discovery_warning';
      /** Null if the warning is about the local zone. */
      readonly target: string | null;
      readonly warning: string;
    })
  /** The client uses the endpoint from now on. */
  | (LbEndpointEventBase & { readonly type: 'endpoint_added' })
  /** The endpoint has left, and its last call has ended. */
  | (LbEndpointEventBase & { readonly type: 'endpoint_removed' })
  /** The state of an endpoint changed. */
  | (LbEndpointEventBase & {
      readonly type: 'endpoint_state';
      readonly from: EndpointState;
      readonly to: EndpointState;
      /** With `ready` null, unless its ejection was withdrawn because the others fail too: it may not have recovered. */
      readonly reason: string | null;
    })
  /** A connection is ready. */
  | (LbEndpointEventBase & { readonly type: 'connection_opened'; readonly connection: number })
  /** A connection that was ready is closed. */
  | (LbEndpointEventBase & {
      readonly type: 'connection_closed';
      readonly connection: number;
      readonly reason: string | null;
    })
  /** An endpoint gets no new streams, and `streams` that can resume are asked to go to others, within two seconds. */
  | (LbEndpointEventBase & {
      readonly type: 'streams_leaving';
      readonly reason: MoveReason;
      readonly streams: number;
    })
  /**
   * A stream has moved from the endpoint at `address` to the one at `to`. `rebalance`: the first one carried more streams
   * than others; `key`: calls with the key of the stream go to the other one now.
   */
  | (LbEndpointEventBase & {
      readonly type: 'stream_rebalanced';
      readonly to: string;
      readonly reason: 'rebalance' | 'key';
    })
  /** The shares of the priorities changed: `priority` is the first one that gets calls, with the share `share`. */
  | (LbEventBase & { readonly type: 'failover'; readonly priority: number; readonly share: number })
  /**
   * Panic began or ended: too few endpoints are healthy (`healthy` of `connected`), so calls go to all connected ones.
   */
  | (LbEventBase & {
      readonly type: 'panic';
      readonly on: boolean;
      readonly healthy: number;
      readonly connected: number;
    })
  /**
   * The health of a server is not watched, so its endpoint counts as healthy while it is connected. Once for each
   * client and reason; `address` is the first endpoint concerned.
   */
  | (LbEndpointEventBase & { readonly type: 'health_not_offered'; readonly why: HealthNotOffered })
  /**
   * A watch ended early, or was ended because the server floods it; it is reopened with growing delays. `total` counts
   * both kinds of watch. At most one in ten seconds.
   */
  | (LbEndpointEventBase & {
      readonly type: 'watch_backed_off';
      readonly watch: 'health' | 'load_reports';
      readonly reason: string;
      readonly total: number;
    })
  /** A server does not offer the out-of-band load reports that the policy uses. Once for each client. */
  | (LbEventBase & { readonly type: 'load_reports_not_offered' })
  /** A server sent load reports that are unreadable or impossible; `total` so far. At most one in ten seconds. */
  | (LbEndpointEventBase & { readonly type: 'load_report_rejected'; readonly total: number })
  /** Every connection is at its stream limit, and calls are pending. At most one a second. */
  | (LbEventBase & { readonly type: 'pool_saturated'; readonly pending: number })
  /** A call was rejected with RESOURCE_EXHAUSTED, because `maxPending` calls are pending. At most one a second. */
  | (LbEventBase & { readonly type: 'call_rejected'; readonly pending: number; readonly maxPending: number })
  /**
   * Other certificates are in force: new connections use them, and connections that were made with earlier ones are
   * replaced within `tls.replaceWithin`. `expires`: when the own certificate expires, in milliseconds since the epoch;
   * null if there is none.
   */
  | (LbEventBase & {
      readonly type: 'certificates_rotated';
      readonly fingerprint: string | null;
      readonly expires: number | null;
    })
  /** Certificates were found that cannot be used. `last`: the last good ones stay in force. Once for each reason. */
  | (LbEventBase & { readonly type: 'certificates_rejected'; readonly reason: string; readonly uses: 'last' | 'none' })
  /** The own certificate expires soon, or has expired. Once for each. */
  | (LbEventBase & { readonly type: 'certificate_expiring'; readonly reason: string; readonly expires: number })
  /**
   * A connection that was made with earlier certificates could not be replaced; it stays in use, and the next attempt
   * follows. At most one in ten seconds.
   */
  | (LbEndpointEventBase & { readonly type: 'connection_not_replaced'; readonly reason: string })
  /**
   * A server begins to shed load: it ends attempts without processing them, because it has too much to do. `on: false`:
   * it answers, and has shed none for ten seconds.
   */
  | (LbEndpointEventBase & { readonly type: 'shedding'; readonly on: boolean })
  /**
   * Calls of a method begin to be refused, or all pass again: backends accepted `accepts` of `requests` recent calls.
   */
  | (LbEventBase & {
      readonly type: 'throttle';
      readonly on: boolean;
      /** As in `/orders.v1.Orders/Find`. */
      readonly method: string;
      readonly requests: number;
      readonly accepts: number;
    })
  /** `configure()` changed the load-balancing options. */
  | (LbEventBase & { readonly type: 'configured' });

/**
 * Receives the events of a client, in order. What it throws or rejects with becomes a warning of the process: ten at
 * once, then one every ten seconds.
 */
export type LbEventListener = (event: LbEvent) => void;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** An event before the client adds its name and the time. */
export type EventBody = DistributiveOmit<LbEvent, 'client' | 'time'>;
