import type { ClientState, EndpointState } from './snapshot.js';

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
 * What a target has while its discovery fails. `last`: the last good list, for as long as it takes; `leaving`: that list,
 * for a while, as an authority says that nobody is left; `part`: what is good of the new list; `none`: nobody.
 */
export type ListInUse = 'last' | 'leaving' | 'part' | 'none';

/**
 * Why a server is not asked for its health: it has no health service (UNIMPLEMENTED), refuses the watch (UNAUTHENTICATED,
 * PERMISSION_DENIED), or allows too few streams on a connection for a watch beside calls (STREAM_LIMIT).
 */
export type HealthNotOffered = 'UNIMPLEMENTED' | 'UNAUTHENTICATED' | 'PERMISSION_DENIED' | 'STREAM_LIMIT';

/** What happens to a client, as it happens; a union to `switch` over by `type`. */
export type LbEvent =
  /** The client as a whole became ready, lost its last ready endpoint, ... */
  | (LbEventBase & {
      readonly type: 'client_state';
      readonly from: ClientState;
      readonly to: ClientState;
      /** Why calls fail from now on; null where they do not, and where another library does not say. */
      readonly reason: string | null;
    })
  /** Discovery answered with a list that differs from the last one. */
  | (LbEventBase & {
      readonly type: 'discovery_updated';
      readonly added: number;
      readonly removed: number;
      readonly total: number;
    })
  /** Discovery failed, came back empty, or had faults in it. At most one in ten seconds for each target. */
  | (LbEventBase & {
      readonly type: 'discovery_failed';
      readonly target: string;
      readonly error: string;
      readonly uses: ListInUse;
    })
  /** Discovery answers again, after it was said to have failed. */
  | (LbEventBase & { readonly type: 'discovery_recovered'; readonly target: string })
  /** Discovery works, but somebody should look at something. Once for each text. */
  | (LbEventBase & {
      readonly type: 'discovery_warning';
      /** Null for what is no matter of a target, as the client's own zone. */
      readonly target: string | null;
      readonly warning: string;
    })
  | (LbEndpointEventBase & { readonly type: 'endpoint_added' })
  /** The endpoint has left and its last call has ended. */
  | (LbEndpointEventBase & { readonly type: 'endpoint_removed' })
  | (LbEndpointEventBase & {
      readonly type: 'endpoint_state';
      readonly from: EndpointState;
      readonly to: EndpointState;
      readonly reason: string | null;
    })
  | (LbEndpointEventBase & { readonly type: 'connection_opened'; readonly connection: number })
  | (LbEndpointEventBase & {
      readonly type: 'connection_closed';
      readonly connection: number;
      readonly reason: string | null;
    })
  /** The shares of the priorities have changed: endpoints of priority `priority` are the first that get calls now. */
  | (LbEventBase & { readonly type: 'failover'; readonly priority: number; readonly share: number })
  /** Too few endpoints are healthy (`healthy` of `connected`): from now on all that are connected are used, or no longer. */
  | (LbEventBase & {
      readonly type: 'panic';
      readonly on: boolean;
      readonly healthy: number;
      readonly connected: number;
    })
  /**
   * The server cannot be asked for its health, so that an endpoint counts as healthy while it is connected. Once for each
   * client and reason; `address` is the first endpoint that it holds for.
   */
  | (LbEndpointEventBase & { readonly type: 'health_not_offered'; readonly why: HealthNotOffered })
  /**
   * A watch of the client ended soon, or was ended because the server flooded it; it is opened again later and later.
   * `total` so far, of both kinds. At most one in ten seconds.
   */
  | (LbEndpointEventBase & {
      readonly type: 'watch_backed_off';
      readonly watch: 'health' | 'load_reports';
      readonly reason: string;
      readonly total: number;
    })
  /** A server does not report its load out of band, as the policy would have it. Once for each client. */
  | (LbEventBase & { readonly type: 'load_reports_not_offered' })
  /** A server has sent load reports that cannot be read, or say what cannot be: `total` so far. At most one in 10 s. */
  | (LbEndpointEventBase & { readonly type: 'load_report_rejected'; readonly total: number })
  /** Every connection is at its stream limit: calls wait. At most one a second. */
  | (LbEventBase & { readonly type: 'pool_saturated'; readonly pending: number })
  /** `maxPending` calls wait already, and one more was refused with RESOURCE_EXHAUSTED. At most one a second. */
  | (LbEventBase & { readonly type: 'call_rejected'; readonly pending: number; readonly maxPending: number })
  /** `configure()` put new load-balancing options in force. */
  | (LbEventBase & { readonly type: 'configured' });

/** Receives the events of a client, in order. An error that it throws becomes a warning of the process. */
export type LbEventListener = (event: LbEvent) => void;
