import type { EndOrigin, WaitReason } from '../../grpc/call/call-observer.js';

/** How a call or an attempt ended, for people. */
export interface EndRecord {
  /** The name of the status, as in `UNAVAILABLE`. */
  readonly status: string;
  /** The text of the status, cut off. */
  readonly details: string;
  /** Which side ended it. */
  readonly origin: EndOrigin;
}

/** One attempt of a recorded call. */
export interface AttemptRecord {
  readonly number: number;
  /** Why it was made. */
  readonly kind: string;
  readonly address: string;
  /** Milliseconds from the start of the call. */
  readonly startedMs: number;
  /** Milliseconds from the start of the call; null while it runs. */
  endedMs: number | null;
  /** Milliseconds that it waited before it was sent, and what for. */
  readonly waitedMs: number;
  readonly waitedFor: WaitReason | undefined;
  end: EndRecord | null;
}

/** A call that failed or was slow, with the course of its attempts. */
export interface CallRecord {
  /** Counts the recorded calls, for keys. */
  readonly id: number;
  readonly method: string;
  /** When it ended, in milliseconds since the epoch. */
  readonly time: number;
  readonly durationMs: number;
  readonly end: EndRecord;
  /** Whether the client refused it without an attempt. */
  readonly dropped: boolean;
  readonly attempts: readonly AttemptRecord[];
}
