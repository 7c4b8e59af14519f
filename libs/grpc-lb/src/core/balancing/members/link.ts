import type { ConnectionSnapshot } from '../../snapshot.js';
import type { Counted } from '../calls/ledger.js';

/** Carries calls to an endpoint: a connection. */
export interface Carrier extends Counted {
  /** It went away by itself; its calls may still end. */
  readonly lost: boolean;
  /** A call has been put on it. */
  callStarted(): void;
  /** The peer has answered a call. */
  callAnswered(): void;
}

/** The way to one endpoint: its connections, or in the simulator a wire that is always up. */
export interface Link<C extends Carrier> {
  /** Calls can reach the endpoint, for better or worse. */
  readonly usable: boolean;
  /** The endpoint says that it serves. */
  readonly serving: boolean;
  /** Why the endpoint says that it does not serve. */
  readonly notServing: string | null;
  /** Why all its connections are suspect: silent, stalled or dead; undefined while one is not. */
  readonly suspicion: string | undefined;
  /** It cannot be used because an attempt to connect has failed, or because connections do not last. */
  readonly failing: boolean;
  /** Why it cannot be used. */
  readonly failure: string | null;
  /** Nothing is left of it, not even what drains. */
  readonly empty: boolean;
  readonly hasRoom: boolean;
  /** How many more calls it can take once the connections that are being opened are ready. */
  readonly roomToCome: number;
  /** Another connection may be opened (gRFC A105). */
  readonly canGrow: boolean;
  readonly size: number;
  /** The connection for a call; undefined if all are full. */
  withRoom(): C | undefined;
  /** Opens what is missing, and adapts to options that have changed. */
  configure(): void;
  grow(): void;
  /** Does not wait for the end of the backoff. */
  dialNow(): void;
  /** A call has ended. */
  released(carrier: C): void;
  /** No new calls; those in flight end by themselves. */
  drain(): void;
  revive(): void;
  close(): void;
  snapshot(): readonly ConnectionSnapshot[];
}
