import type { Locality } from './endpoint.js';
import type { EffectiveLoadBalancing } from './options/load-balancing.js';

/** `connecting` until the first connection is ready; `idle` before the first call if the client does not connect early. */
export type ClientState = 'idle' | 'connecting' | 'ready' | 'transient_failure' | 'shutdown';

/**
 * `not_serving`: connected, but its health service says no. `suspect`: connected, but silent, so that it gets no new calls
 * until it answers. `ejected`: left out for a while, because calls to it failed,
 * and then tried with one call. `draining`: left discovery, gets no new calls, and is gone when its calls have ended.
 */
export type EndpointState =
  | 'connecting'
  | 'ready'
  | 'not_serving'
  | 'suspect'
  | 'ejected'
  | 'transient_failure'
  | 'draining';

/** `retiring`: gets no new calls, and closes when its calls have ended. */
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
  readonly state: ConnectionState;
  readonly health: ConnectionHealth;
  readonly inFlight: number;
  /** How many calls it carries at most at the same time: the peer's limit, or the configured one. */
  readonly maxConcurrentStreams: number;
  /** Milliseconds since it became ready; null before. */
  readonly ageMs: number | null;
}

export interface EndpointSnapshot {
  /** `host:port` */
  readonly address: string;
  readonly state: EndpointState;
  /** When it entered that state, in milliseconds since the epoch. */
  readonly since: number;
  /** Why it is in that state, for people; null when there is nothing to say. */
  readonly reason: string | null;
  readonly weight: number;
  /** 0 is used first. */
  readonly priority: number;
  /** Where it runs, as far as discovery says; null where it does not. */
  readonly locality: Locality | null;
  /** Below 1 while it starts slowly: how far it is on its ramp. It may get more of its share, so that others are not pinned. */
  readonly warmth: number;
  /** Its recent share of failures, from 0 to 1. */
  readonly failureRate: number;
  /** The share of its last calls (32 at most) that it refused, with a status that is neither OK nor a failure; 0 to 1. */
  readonly refusalRate: number;
  /** Calls picked and not ended, streams and retries included. */
  readonly inFlight: number;
  /** Attempts since the endpoint joined, by how they ended. */
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly connections: readonly ConnectionSnapshot[];
}

/**
 * The state of discovery. `pending`: no answer yet. `ok`: the last answer is in use. `stale`: the last lookup failed or
 * returned no endpoints, and an older list is in use. `failed`: there has never been a usable list.
 */
export type SourceState = 'pending' | 'ok' | 'stale' | 'failed';

/** Discovery of one target, or of all targets of a client together. */
export interface SourceSnapshot {
  readonly target: string;
  /** The scheme of the target: `dns`, `static`, ... */
  readonly kind: string;
  readonly state: SourceState;
  /** When the last good list came, in milliseconds since the epoch; null before the first. */
  readonly lastUpdate: number | null;
  /** Milliseconds since the last good list while the state is `stale`; null otherwise. */
  readonly staleForMs: number | null;
  readonly error: string | null;
  /** Endpoints that were dropped since the start, because they had no usable address or weight. */
  readonly dropped: number;
  /** How many endpoints the last good list names. */
  readonly endpoints: number;
  /** Answers since the start, good ones and failures. */
  readonly updates: number;
  readonly failures: number;
}

/** A group of endpoints that is used before the ones of a higher number. */
export interface PrioritySnapshot {
  readonly priority: number;
  /** The part of the calls that goes there now, from 0 to 1. */
  readonly share: number;
  /** How many endpoints are used of it (a subset, if there is one), and how many of those are well. */
  readonly endpoints: number;
  readonly healthy: number;
  /** The part of this group's calls that goes to other zones, from 0 to 1; null where zones do not count. */
  readonly crossZoneShare: number | null;
}

/** All there is to know about one client. Terminus, metrics, pages and people read this and the events, nothing else. */
export interface ClientSnapshot {
  readonly client: string;
  readonly target: string;
  readonly state: ClientState;
  /** What is in force now, defaults included; null where a control plane decides (`xds:`), and does not say how. */
  readonly loadBalancing: EffectiveLoadBalancing | null;
  /**
   * Discovery as a whole, of several targets the sums. It is `stale` if one of them fails while there are endpoints, its
   * own last ones or only those of others; `failed` if one fails and there are none. `sources` says which.
   */
  readonly source: SourceSnapshot;
  /** Each target by itself, in the order of their priority. */
  readonly sources: readonly SourceSnapshot[];
  /** The priorities whose endpoints are connected. */
  readonly priorities: readonly PrioritySnapshot[];
  /** The zone that this client is in, if it knows one. */
  readonly zone: string | null;
  /** Calls picked and not ended, over all endpoints, those that drain included. */
  readonly inFlight: number;
  /** Calls that wait because every connection is at its stream limit (an upper bound: one that gave up may still count). */
  readonly pending: number;
  /** Too few endpoints are well, so all that are connected are used. */
  readonly panic: boolean;
  /** In the order of discovery, then those that drain. */
  readonly endpoints: readonly EndpointSnapshot[];
}
