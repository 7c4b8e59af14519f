import type { status } from '@grpc/grpc-js';
import type { LbEvent } from '../libs/grpc-lb/src/core/events.js';
import type { LoadBalancingOptions } from '../libs/grpc-lb/src/core/options/load-balancing.js';
import type { ClientSnapshot } from '../libs/grpc-lb/src/core/snapshot.js';

/** What the processes say to each other over IPC. Times are those of `now()`. */

/** How a backend answers; may be changed while it runs. */
export interface Knobs {
  /** Milliseconds that a call takes. */
  readonly delay: number;
  /** With this calls end at once; null for answers. */
  readonly failWith: status | null;
  /** The share of the calls that end so. */
  readonly failShare: number;
  /** Calls are accepted, and never answered. */
  readonly hung: boolean;
  /** Calls that it works on at a time; the others wait in a queue, also those that were given up. */
  readonly slots: number;
  readonly health: 'SERVING' | 'NOT_SERVING';
}

export interface BackendArguments {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  readonly knobs: Knobs;
}

export interface ToBackend {
  readonly set: Partial<Knobs>;
}

export type FromBackend =
  | { readonly type: 'listening'; readonly port: number }
  /** The knobs are as they were told. */
  | { readonly type: 'set'; readonly at: number }
  /** SIGTERM: it has said NOT_SERVING. */
  | { readonly type: 'draining'; readonly at: number }
  /** SIGTERM: it closes its port and sends GOAWAY. */
  | { readonly type: 'closing'; readonly at: number };

/** A caller that repeats calls which end with UNAVAILABLE or take too long. */
export interface Repeats {
  /** In total, including the first. */
  readonly attempts: number;
  /** Milliseconds that each attempt has. */
  readonly timeout: number;
}

/** Who balances. */
export type SubjectName = 'grpc-lb' | 'round_robin';

export interface ClientArguments {
  readonly subject: SubjectName;
  readonly addresses: readonly string[];
  /** Of grpc-lb. */
  readonly loadBalancing: LoadBalancingOptions;
  /** The same retries for both. */
  readonly retry: boolean;
  /** Of round_robin. */
  readonly channelOptions: Readonly<Record<string, number>>;
  /** Calls a second. */
  readonly rate: number;
  /** Milliseconds that each call has. */
  readonly deadline: number;
  readonly repeats?: Repeats | undefined;
}

export type ToClient =
  | { readonly type: 'endpoints'; readonly addresses: readonly string[] }
  | { readonly type: 'load' }
  /** Calls a second from now on. */
  | { readonly type: 'rate'; readonly rate: number }
  /** No new calls; the answer is the recording, when the last has ended. */
  | { readonly type: 'stop' };

export type FromClient =
  | { readonly type: 'ready' }
  | { readonly type: 'event'; readonly event: TimedEvent }
  | { readonly type: 'recording'; readonly recording: Recording };

/** An event with the time at which it was told. */
export interface TimedEvent {
  readonly at: number;
  readonly event: LbEvent;
}

/** One call of the application. */
export interface CallRecord {
  /** When it was due. */
  readonly at: number;
  /** Milliseconds from then to its end. */
  readonly took: number;
  readonly code: status;
  readonly details: string;
}

/** One attempt that was sent on a connection. */
export interface RequestRecord {
  readonly at: number;
  /** `host:port` of the peer. */
  readonly to: string;
  /** The number of the call in the recording. */
  readonly call: number;
  /** Whether a status came back. */
  answered: boolean;
}

export interface Recording {
  readonly calls: readonly CallRecord[];
  readonly requests: readonly RequestRecord[];
  /** Of grpc-lb. */
  readonly events: readonly TimedEvent[];
  /** Of grpc-lb, as the load was stopped. */
  readonly snapshot: ClientSnapshot | null;
}
