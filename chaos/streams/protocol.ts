import type { status } from '@grpc/grpc-js';
import type { Schedule } from './schedule.js';

/** What the processes say to each other over IPC. Times are those of `now()`. */

export interface LogBackendArguments {
  /** 0 for any. */
  readonly port: number;
  readonly schedule: Schedule;
  /** Milliseconds; undefined for never. */
  readonly maxStreamAge: number | undefined;
}

export interface FromLogBackend {
  readonly type: 'listening';
  readonly port: number;
}

export interface LogClientArguments {
  readonly addresses: readonly string[];
  readonly schedule: Schedule;
  readonly resumable: boolean;
}

export type ToLogClient =
  | { readonly type: 'open' }
  | { readonly type: 'eject'; readonly address: string; readonly duration: number }
  | { readonly type: 'restore'; readonly address: string }
  /** How many streams each backend sends to. */
  | { readonly type: 'places' }
  /** Resolve when all messages up to this time are there, or some time has passed. */
  | { readonly type: 'stop' };

export type FromLogClient =
  | { readonly type: 'ready' }
  | { readonly type: 'places'; readonly places: Readonly<Record<string, number>> }
  | { readonly type: 'recording'; readonly recording: StreamRecording };

/** A stream got its next message from another backend. */
export interface Handover {
  readonly at: number;
  readonly log: number;
  /** Ports. */
  readonly from: number;
  readonly to: number;
  /** Milliseconds between the last message of the old and the first of the new one, beyond their interval. */
  readonly gap: number;
}

/** A stream ended for its subscriber. */
export interface StreamEndRecord {
  readonly at: number;
  readonly log: number;
  /** The port of the backend of its last message. */
  readonly server: number;
  readonly code: status;
  readonly details: string;
  /** The trailer `grpc-lb-stream-end`. */
  readonly reason: string | null;
}

export interface StreamRecording {
  readonly messages: number;
  readonly lost: number;
  readonly doubled: number;
  readonly unordered: number;
  readonly ends: readonly StreamEndRecord[];
  readonly handovers: readonly Handover[];
  /** A sample of the same gap between two messages of one backend. */
  readonly unmoved: readonly Handover[];
  /** All such gaps that are long. */
  readonly stalls: readonly Handover[];
  readonly calls: number;
  readonly failedCalls: readonly string[];
}
