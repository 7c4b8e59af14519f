import type { Metadata, status as Status } from '@grpc/grpc-js';
import type { AttemptKind } from '../../core/call/plan-owner.js';
import type { WeightsUpdate } from '../../core/policy/weights-update.js';

/**
 * Which side ended a call or an attempt. `local`: this process, as by a cancellation, a deadline, a limit of message
 * sizes, or because no endpoint could be used. `remote`: the backend, or the loss of the connection to it.
 */
export type EndOrigin = 'local' | 'remote';

/** A call that has started. */
export interface ObservedCall {
  /** The name of the client. */
  readonly client: string;
  /** The target of the client, without secrets; several targets are separated by spaces. */
  readonly target: string;
  /** As in `/orders.v1.Orders/Find`. */
  readonly method: string;
  /** Whether the client declares the method: it has the service, or was created with it in `methods`. */
  readonly declared: boolean;
  /** Whether it is known to have many messages in either direction. */
  readonly stream: boolean;
  /**
   * Sets a header of all attempts of the call, such as `traceparent`. Only while the observer is told of the start;
   * later it has no effect. The caller's metadata stays as it is. It is sent as "never indexed" (RFC 7541), because such
   * headers differ from call to call.
   *
   * @param key In lower case.
   */
  setHeader(key: string, value: string): void;
}

/**
 * What a call or an attempt waited for before it could be sent. `discovery`: the first answer of discovery.
 * `connection`: a connection. `ready`: an endpoint that is ready again, with `waitForReady`. `stream_limit`: room on a
 * connection. `call_credentials`: the call credentials.
 */
export type WaitReason = 'discovery' | 'connection' | 'ready' | 'stream_limit' | 'call_credentials';

/** An attempt that has been sent. */
export interface ObservedAttempt {
  /** Counts the attempts of the call, from 1. */
  readonly number: number;
  /** Why it is made. */
  readonly kind: AttemptKind;
  /** The address of the endpoint. */
  readonly address: string;
  /** Milliseconds that the attempt waited for an endpoint. */
  readonly waited: number;
  /** What it waited for; undefined if it did not wait. */
  readonly waitedFor: WaitReason | undefined;
}

/** How a call or an attempt ended. */
export interface ObservedEnd {
  /** The gRPC status. */
  readonly code: Status;
  /** The text of the status. */
  readonly details: string;
  /** The trailers; empty if the end is local. */
  readonly metadata: Metadata;
  /** Which side ended it. */
  readonly origin: EndOrigin;
}

/** An update of the weights of `weighted_round_robin`. */
export interface ObservedWeights extends WeightsUpdate {
  /** The name of the client. */
  readonly client: string;
  /** The target of the client, without secrets. */
  readonly target: string;
}

/** Is told what happens to one call. An attempt is identified by its number. */
export interface CallObservation {
  /** The next attempt cannot be sent at once; or it waits for something else from now on. */
  waits?(reason: WaitReason): void;
  /**
   * The next attempt is not sent.
   *
   * @param end How it ended, because no endpoint could take it; undefined if it is not needed any more, or has no
   *   endpoint left to go to.
   */
  notSent?(end: ObservedEnd | undefined): void;
  /** An attempt has been sent to an endpoint. */
  attemptStarted?(attempt: ObservedAttempt): void;
  /** The response headers that the caller gets have arrived. */
  headersReceived?(attempt: number, metadata: Metadata): void;
  /**
   * A request has been handed to the connection.
   *
   * @param bytes The size of the message on the wire, without the frame header.
   */
  messageSent?(attempt: number, bytes: number): void;
  /**
   * A response that the caller gets has arrived.
   *
   * @param bytes The size of the message on the wire, without the frame header.
   */
  messageReceived?(attempt: number, bytes: number): void;
  /** An attempt has ended: with its status, or because another one is used. */
  attemptEnded?(attempt: number, end: ObservedEnd): void;
  /** The client refuses the call without an attempt, such as when too many calls are pending. */
  dropped?(end: ObservedEnd): void;
  /** The call has ended. Nothing follows. */
  ended?(end: ObservedEnd): void;
}

/**
 * Is told of all calls of a client. Its methods run inside the call, so they must be quick. If one throws or rejects, the
 * call goes on, and the first error is reported as a warning of the process. One may cancel calls, or close the client: a
 * call that is cancelled while an observer is told of a step ends right after that step.
 *
 * @example
 *   const observer: CallObserver = {
 *     callStarted: ({ method }) => ({ ended: ({ code }) => count(method, code) }),
 *   };
 */
export interface CallObserver {
  /** Returns what is told of this call; undefined for nothing. */
  callStarted(call: ObservedCall): CallObservation | undefined;
  /** `weighted_round_robin` computed new weights from load reports; once in a `weightUpdatePeriod` with calls. */
  weightsUpdated?(update: ObservedWeights): void;
}
