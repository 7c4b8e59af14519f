import type { Metadata, status as Status } from '@grpc/grpc-js';
import type { ServerTlsSnapshot } from '../core/snapshot.js';
import type { RefusalReason } from './refusal.js';
import type { StreamEnd } from './stream-end.js';

/** A call that has arrived at the server. */
export interface ObservedServerCall {
  /** As in `/orders.v1.Orders/Find`. The server has this method. */
  readonly method: string;
  /** What the caller has sent. It must not be changed. */
  readonly metadata: Metadata;
  /** The `:authority` of the call: the name by which the client knows this server. */
  readonly authority: string;
  /** The address of the client's end of the connection, `host:port`, or `unknown`. */
  readonly peer: string;
  /** Whether an instrumentation, such as OpenTelemetry's, has wrapped the handler of the method. */
  readonly instrumented: boolean;
}

/** How a call ended at the server. */
export interface ObservedServerEnd {
  /** The gRPC status that is sent; CANCELLED if the caller left. */
  readonly code: Status;
  /** The text of the status. */
  readonly details: string;
  /** Bytes of all responses, without frame headers. grpc-js's servers do not compress. */
  readonly sentBytes: number;
  /** Bytes of all requests on the wire, compressed if the client compresses, without frame headers. */
  readonly receivedBytes: number;
  /** Why the server refused the call, so that its handler was not started; undefined if it was. */
  readonly refused?: RefusalReason;
  /** Set if the server has ended a stream while its handler still ran: for a drain, or at its maximum age. */
  readonly streamEnd?: StreamEnd;
}

/** A server that is observed. */
export interface ObservedServer {
  /** The certificates of the option `tls`; null without it. */
  tls(): ServerTlsSnapshot | null;
}

/** Is told what happens to one call at the server. */
export interface ServerCallObservation {
  /** Runs a part of the handler, such as in an async context; it must run it once, before it returns. */
  run?(action: () => void): void;
  /** The call has ended. Nothing follows. */
  ended?(end: ObservedServerEnd): void;
}

/**
 * Is told of the calls of a server, except those of health, reflection and load reports. grpc-js refuses calls of
 * methods that the server does not have, before anything is told of them. The methods run inside the call, so they must
 * be quick. If one throws or rejects, the call goes on, and the first error is reported as a warning of the process.
 *
 * @example
 *   const observer: ServerCallObserver = {
 *     callStarted: ({ method }) => ({ ended: ({ code }) => count(method, code) }),
 *   };
 */
export interface ServerCallObserver {
  /** Returns what is told of this call; undefined for nothing. */
  callStarted(call: ObservedServerCall): ServerCallObservation | undefined;
  /** Called when it begins to observe a server. Returns what is called at the end; undefined for nothing. */
  attached?(server: ObservedServer): (() => void) | undefined;
}
