import type { Cancel } from '../../clock.js';
import type { LoadReport } from '../../policy/load-report.js';
import type { ConnectionSnapshot } from '../../snapshot.js';
import type { Counted } from '../calls/ledger.js';

/** Carries calls to an endpoint: a connection. */
export interface Carrier extends Counted {
  /** Whether the connection was lost, rather than closed by this side; its calls may still end. */
  readonly lost: boolean;
  /** Called when a call has been assigned to it. */
  callStarted(): void;
  /** Called when the peer has answered a call. */
  callAnswered(ran: boolean): void;
}

/** The connections to one endpoint; in the simulator, a link that is always up. */
export interface Link<C extends Carrier> {
  /** Whether calls can reach the endpoint, healthy or not. */
  readonly usable: boolean;
  /** Whether the endpoint reports that it serves. */
  readonly serving: boolean;
  /** Why the endpoint reports that it does not serve. */
  readonly notServing: string | null;
  /** Why all its connections are suspect: silent, stalled or dead; undefined if at least one is not. */
  readonly suspicion: string | undefined;
  /** Whether it is unusable because an attempt to connect failed, or because connections do not last. */
  readonly failing: boolean;
  /** Why it is unusable. */
  readonly failure: string | null;
  /** Whether no connection is left, not even a draining one. */
  readonly empty: boolean;
  readonly hasRoom: boolean;
  /** How many more calls it can take once the connections being opened are ready. */
  readonly roomToCome: number;
  /** Whether another connection may be opened (gRFC A105). */
  readonly canGrow: boolean;
  readonly size: number;
  /**
   * Returns the connection for a call; undefined if all are full.
   *
   * @param youngerThan Only a connection that became ready later than this, by the clock.
   */
  withRoom(youngerThan?: number): C | undefined;
  /** Connects; called again when the endpoint is used again while it drains. */
  open(): void;
  /** Applies changed options. */
  configure(): void;
  grow(): void;
  /** Connects now instead of at the end of the backoff. */
  dialNow(): void;
  /** Replaces its connections by new ones, each of which is ready before the old one takes no more calls. */
  recycle(): void;
  /**
   * Asks the endpoint for a load report (gRFC A51), past its calls.
   *
   * @param told Called once, later, unless it is cancelled; with undefined if there is no report.
   */
  askReport(told: (report: LoadReport | undefined) => void): Cancel;
  /** Called when a call has ended. */
  released(carrier: C): void;
  /** Stops new calls; calls in flight end by themselves. */
  drain(): void;
  close(): void;
  snapshot(): readonly ConnectionSnapshot[];
}

/** The link of a member that has not been opened yet. */
export const NO_LINK: Link<never> = {
  usable: false,
  serving: false,
  notServing: null,
  suspicion: undefined,
  failing: false,
  failure: null,
  empty: true,
  hasRoom: false,
  roomToCome: 0,
  canGrow: false,
  size: 0,
  withRoom: () => undefined,
  open: () => {},
  configure: () => {},
  grow: () => {},
  dialNow: () => {},
  recycle: () => {},
  askReport: () => () => {},
  released: () => {},
  drain: () => {},
  close: () => {},
  snapshot: () => [],
};
