import type { Carrier } from '../members/link.js';
import type { Member } from '../members/member.js';

/** An earlier attempt of a call. */
export interface Visit<C extends Carrier> {
  readonly endpoint: Member<C>;
  readonly connection: C;
  /** When the peer refused the attempt before it ran, by the clock; undefined if it did not. */
  readonly refusedAt: number | undefined;
}

/** Where a call has been. */
export interface Visits<C extends Carrier> {
  readonly all: readonly Visit<C>[];
  /** The endpoints, in the order of the visits. */
  readonly tried: readonly Member<C>[];
  /**
   * Which endpoints the next attempt may go to. `untried`: only to others, as a hedge to an endpoint that is slow would
   * be slow as well. `untried_or_new_connection`: the last attempt was refused before it ran. Undefined: preferably to
   * others.
   */
  readonly only: 'untried' | 'untried_or_new_connection' | undefined;
  /** The endpoint that the stream leaves which the call is to carry; preferably not there. */
  readonly leaving?: Member<C> | undefined;
  /** The only endpoint where the call may go. */
  readonly to?: Member<C> | undefined;
}

/** A call that has been nowhere. */
export const NO_VISITS: Visits<never> = { all: [], tried: [], only: undefined };

/**
 * How many endpoints a call goes to that refuse it before it runs: all of most services. If a thousand refuse everything,
 * a call must not visit them all; the picks alone would take 0.2 s.
 */
const MAX_VISITS = 100;
/** How often a call goes to new connections of endpoints that have refused it. */
const MAX_REPEATS = 5;

/** Whether a call goes to no further endpoint, since those where it has been have refused it before it ran. */
export function hasVisitedEnough<C extends Carrier>({ tried, only }: Visits<C>): boolean {
  return only === 'untried_or_new_connection' && tried.length >= MAX_VISITS;
}

/**
 * Where a call goes that all endpoints have refused before it ran. A peer that closes its connections, as in a reload,
 * takes the call on a new one; another connection that is as old may be about to close as well. If the connections stay
 * open, the call is sent once more, as grpc-js does.
 */
export function repeat<C extends Carrier>(
  { all, tried }: Visits<C>,
  pickable: readonly Member<C>[],
): { readonly endpoint: Member<C>; readonly connection: C } | 'wait' | 'none' {
  const repeats = all.length - new Set(tried).size;
  if (repeats >= MAX_REPEATS) return 'none';
  const refusals = all.filter(({ refusedAt }) => refusedAt !== undefined);
  const latest = [...new Map(refusals.map((visit) => [visit.endpoint, visit])).values()];
  for (const { endpoint, refusedAt } of latest) {
    const connection = pickable.includes(endpoint) ? endpoint.link.withRoom(refusedAt) : undefined;
    if (connection) return { endpoint, connection };
  }
  if (latest.some(({ endpoint, connection }) => connection.lost && endpoint.link.roomToCome > 0)) return 'wait';
  const endpoint = latest.findLast((visit) => pickable.includes(visit.endpoint))?.endpoint;
  const connection = repeats === 0 ? endpoint?.link.withRoom() : undefined;
  return connection ? { endpoint: endpoint!, connection } : 'none';
}
