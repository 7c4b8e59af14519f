import type { HashKeySource } from '../options/ring-hash-options.js';
import type { LoadReport } from './load-report.js';

/** What a policy sees of an endpoint: living numbers, read at the pick. The object lives as long as the endpoint. */
export interface Candidate {
  /** What tells it from the others: `host:port`. */
  readonly key: string;
  /** Calls picked and not ended. */
  readonly inFlight: number;
  /** From 1; relative to the others. */
  readonly weight: number;
  /** Load multiplier for recent failures; 1 when healthy. */
  readonly failureFactor: number;
}

/** What is known of a call when its endpoint is chosen. */
export interface CallInfo {
  /** As in `/orders.v1.Orders/Find`; empty where it is not known. */
  readonly method: string;
  /** It has many messages one way or the other: how long it takes says nothing about the endpoint. */
  readonly stream: boolean;
  /** What ring hash keeps together; undefined where the call has none. */
  readonly hashKey?: string | undefined;
}

/** How an attempt has ended. */
export interface Outcome {
  /** Milliseconds from the pick to the end. */
  readonly latency: number;
  /** It says something bad about the endpoint. */
  readonly failed: boolean;
  /**
   * It has neither succeeded nor failed by the endpoint's fault: the caller gave it up, or it was refused, as a request
   * that is not valid. Its latency says only that its work would have taken longer.
   */
  readonly cutShort: boolean;
  /** What the backend said of its load in the trailers. */
  readonly report?: LoadReport | undefined;
}

/**
 * Chooses among endpoints that may be picked. Algorithm, load and membership are three things: a policy owns the
 * first, reads the second and is told the third. The list is never empty, and an array once handed in never changes,
 * so that a policy may keep what it has worked out about it; several lists may alternate.
 */
export interface Policy {
  /** The index of the endpoint for the next call. */
  pick(candidates: readonly Candidate[], call: CallInfo): number;
  /** For people: the chance of each candidate to get the next call, as things stand. They add up to 1. */
  chances(candidates: readonly Candidate[]): number[];
  /**
   * The part of the calls that each candidate is meant to have while all are equally loaded. They add up to 1, and stay
   * as they are for a list. By weight where this is absent.
   */
  shares?(candidates: readonly Candidate[]): number[];
  /**
   * Calls with the same key belong together: nothing but the state of an endpoint may send them elsewhere, as slow start
   * would.
   */
  readonly sticky?: boolean;
  /** What such calls are kept together by: who picks reads it off the call, into `hashKey`. */
  readonly keyedBy?: HashKeySource;
  /** An attempt has ended; for policies that learn from it. It may have been picked before the endpoint left. */
  learn?(candidate: Candidate, call: CallInfo, outcome: Outcome): void;
  /** How often, in milliseconds, backends shall report out of band; undefined for never. */
  readonly reportInterval?: number | undefined;
  /** A backend has reported its load out of band. */
  report?(candidate: Candidate, report: LoadReport): void;
  /** All endpoints that discovery names, those that may not be picked too; told whenever they change. */
  members?(all: readonly Candidate[]): void;
  /** An endpoint has its first connection, or one again: it may be another process than before. */
  ready?(candidate: Candidate): void;
  /** An endpoint has left, and its last call has ended. What is kept in a `WeakMap` needs none of this. */
  forget?(candidate: Candidate): void;
}

/** A call of which nothing is known. */
export const UNKNOWN_CALL: CallInfo = Object.freeze({ method: '', stream: false });
