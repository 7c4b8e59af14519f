import type { RunSpec } from '../model/run-spec.js';
import type { LatenessSummary } from './lateness.js';

/** To a process of backends. */
export type ToBackends =
  | { readonly type: 'begin'; readonly spec: RunSpec; readonly startsAt: number }
  | { readonly type: 'end' };

/** From it: where its backends are, and after each run what they have seen. */
export type FromBackends =
  | { readonly type: 'listening'; readonly addresses: readonly string[] }
  | { readonly type: 'begun' }
  | ({ readonly type: 'seen' } & BackendsSeen);

export interface BackendsSeen {
  /** Measured calls that came to each backend. */
  readonly counts: readonly number[];
  /** Answers. */
  readonly lateness: LatenessSummary;
  /** Share of the time in which the event loop was not idle. */
  readonly busy: number;
}

/** What a client's process is told on its command line, as JSON. */
export interface ClientTask {
  readonly subject: string;
  readonly addresses: readonly string[];
  readonly client: number;
  readonly spec: RunSpec;
}

export interface ToClient {
  /** By the shared clock. */
  readonly startsAt: number;
}

export type FromClient = { readonly type: 'ready' } | ({ readonly type: 'done' } & ClientSeen);

export interface ClientSeen {
  /** Of each measured call of this client: milliseconds from its intended start, and how it ended. */
  readonly latencies: Float64Array;
  readonly endings: Uint8Array;
  /** Starts of calls behind their intended times, which their latencies include. */
  readonly lateness: LatenessSummary;
  readonly busy: number;
  /** Microseconds of CPU for each measured call. */
  readonly cpu: number;
  /** Bytes: resident, and live objects after a collection. */
  readonly resident: number;
  readonly heap: number;
  /** Median latency of calls without work, one after the other, when all is over. */
  readonly idleCall: number;
  /** The first error that was not a deadline. */
  readonly error: string | undefined;
}

export const ENDED_WELL = 0;
export const TIMED_OUT = 1;
export const FAILED = 2;
