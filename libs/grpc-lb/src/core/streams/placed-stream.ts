/**
 * Why a stream moves. `draining`: its server announced that it stops. `ejected`: its endpoint fails. `silent`: its
 * endpoint does not answer. `removed`: discovery no longer lists its endpoint, or an operator drains it.
 * `connection_retired`: only its connection is replaced. `max_age`: its server ends streams of this age. `rebalance`: its
 * endpoint carries more streams than others. `key`: calls with its key go to another endpoint now.
 */
export type MoveReason =
  | 'draining'
  | 'ejected'
  | 'silent'
  | 'removed'
  | 'connection_retired'
  | 'max_age'
  | 'rebalance'
  | 'key';

/** One open stream as its placement sees it. */
export interface PlacedStream<E> {
  /** Where it is now. */
  readonly endpoint: E;
  /** Whether it can move now: it can resume, has a token, and is not moving already. */
  readonly movable: boolean;
  /** Whether a move is under way. */
  readonly moving: boolean;
  /** Whether a key or another rule decides its endpoint, so that it is not moved to even out the streams. */
  readonly keyed?: boolean;
  /** The endpoint where its key belongs now; undefined if it has none, or none may be picked. */
  readonly home?: E | undefined;
  /**
   * Begins a move, make before break; it ends with `moved` or `closed`, or leaves the stream where it is.
   *
   * @param to The endpoint to move to; if it cannot take the stream, the stream stays. Undefined: any that a pick gives.
   */
  move(reason: MoveReason, to?: E): void;
}

/** An endpoint as the placement of streams sees it. */
export interface StreamHost {
  /** Open streams of this client that count by their number. */
  readonly streams: number;
  readonly weight: number;
  /** Progress of its slow start as a fraction of its full share; 1 otherwise. */
  readonly warmth: number;
  /** Load multiplier for recent failures; 1 when healthy. */
  readonly failureFactor: number;
  /** When it joined or returned while the client was in use, by the clock; undefined if it was there from the start. */
  readonly joinedAt: number | undefined;
  /** Why its streams go elsewhere; undefined if they may stay. */
  readonly leaves?: MoveReason | undefined;
}
