import type { HashKeySource } from '../options/ring-hash-options.js';
import type { LoadReport } from './load-report.js';

/** An endpoint as a policy sees it: live numbers, read at the pick. The object lives as long as the endpoint. */
export interface Candidate {
  /** Identifies the endpoint: `host:port`. */
  readonly key: string;
  /** Calls that are picked and have not ended, without the streams that last. */
  readonly inFlight: number;
  /** Open streams that last. */
  readonly streams: number;
  /** At least 1; relative to the others. */
  readonly weight: number;
  /** Load multiplier for recent failures; 1 when healthy. */
  readonly failureFactor: number;
}

/** What is known about a call when its endpoint is picked. */
export interface CallInfo {
  /** As in `/orders.v1.Orders/Find`; empty if unknown. */
  readonly method: string;
  /** Whether it has many messages in either direction: its duration says nothing about the endpoint. */
  readonly stream: boolean;
  /** Whether it is known to be a stream that stays open, as a subscription does; if not, experience tells. */
  readonly lasting?: boolean | undefined;
  /** The key of ring hash; undefined if the call has none. */
  readonly hashKey?: string | undefined;
}

/** How an attempt ended. */
export interface Outcome {
  /** Milliseconds from the pick to the end. */
  readonly latency: number;
  /** Whether the attempt failed through the endpoint's fault. */
  readonly failed: boolean;
  /**
   * Whether the attempt neither succeeded nor failed through the endpoint's fault: the caller cancelled it, or the
   * endpoint refused it, such as an invalid request. Its latency says only that its work would have taken longer.
   */
  readonly cutShort: boolean;
  /** The load report of the backend in the trailers. */
  readonly report?: LoadReport | undefined;
}

/**
 * Chooses among endpoints that may be picked. Algorithm, load and membership are three things: a policy owns the first,
 * reads the second and is notified of the third. The list is never empty, and the arrays passed in are immutable, so
 * that a policy may cache what it computes for them; several lists may alternate.
 */
export interface Policy {
  /** The index of the endpoint for the next call. */
  pick(candidates: readonly Candidate[], call: CallInfo): number;
  /**
   * For display: the current chance of each candidate to get the next call. They add up to 1.
   *
   * @param call Which call; the key matters to `ring_hash` alone.
   */
  chances(candidates: readonly Candidate[], call?: CallInfo): number[];
  /**
   * The share of calls that each candidate should have while all are equally loaded. The shares add up to 1, and are
   * constant for a list. Proportional to the weights if absent.
   */
  shares?(candidates: readonly Candidate[]): number[];
  /** Whether calls with the same key belong together: only the state of an endpoint moves them, not slow start. */
  readonly sticky?: boolean;
  /**
   * Of a policy that keeps calls with the same key together: the index of the endpoint where a stream with the key of
   * this call, which is at `at` now, belongs. It stays if only its load kept others away.
   */
  home?(candidates: readonly Candidate[], call: CallInfo, at: Candidate): number;
  /**
   * What it means for streams that last. `fewest`: a new one goes to the endpoint with the fewest, and they may move to
   * even out their numbers. `even`: new ones are placed as calls are, and they may move. Undefined: they do not move
   * unless they have to.
   */
  readonly streams?: 'fewest' | 'even';
  /** The source of the key; the caller of `pick` reads it from the call into `hashKey`. */
  readonly keyedBy?: HashKeySource;
  /** Called when an attempt has ended, for policies that learn. It may have been picked before the endpoint left. */
  learn?(candidate: Candidate, call: CallInfo, outcome: Outcome): void;
  /** How often, in milliseconds, backends should report out of band; undefined for never. */
  readonly reportInterval?: number | undefined;
  /** Called when a backend has reported its load out of band. */
  report?(candidate: Candidate, report: LoadReport): void;
  /** Called on each change with all endpoints that discovery lists, including those that may not be picked. */
  members?(all: readonly Candidate[]): void;
  /** Called when an endpoint has its first connection, or one again: the process may be a different one. */
  ready?(candidate: Candidate): void;
  /** Called when an endpoint has left and its last call has ended. State in a `WeakMap` does not need it. */
  forget?(candidate: Candidate): void;
}

/** A call about which nothing is known. */
export const UNKNOWN_CALL: CallInfo = Object.freeze({ method: '', stream: false });
