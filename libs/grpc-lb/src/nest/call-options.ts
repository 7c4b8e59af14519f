import type {
  CallCredentials,
  CallOptions,
  Deadline,
  Interceptor,
  InterceptorProvider,
  Metadata,
  MetadataValue,
  StatusObject,
} from '@grpc/grpc-js';
import type { CriticalityLevel } from '../core/call/criticality.js';

/** Metadata as an object: a text, bytes for keys that end in `-bin`, or several of them for one key. */
export type MetadataInit = Readonly<Record<string, MetadataValue | readonly MetadataValue[]>>;

/** Fewer attempts for one call. */
export interface CallAttempts {
  /** Attempts in total, including the first, 1 to 5; the smaller of this and that of the method applies. */
  readonly maxAttempts: number;
}

/**
 * Options of one call, for all forms of calls: `orders.find(request, options)` or `orders.find(request, metadata,
 * options)`. An option that is wrong, or that nothing knows, ends the call with `GRPC_LB_INVALID_ARGUMENT` before
 * anything is sent.
 *
 * @example
 *   this.orders.find({ id }, { timeout: 500, metadata: { 'x-tenant': 'acme' }, retry: false });
 */
export interface GrpcLbCallOptions extends CallOptions {
  /**
   * Milliseconds from the start of the call to its end, 1 to 2147483647, including retries and time spent waiting; then
   * it ends with DEADLINE_EXCEEDED. An Observable starts with its subscription. The earliest of this, `deadline`, the
   * deadline of the method, and that of the call that a handler serves applies.
   *
   * @default none, unless `@Deadline` sets one
   */
  readonly timeout?: number;
  /**
   * The same as a point in time: a `Date`, or milliseconds since 1970.
   *
   * @default none
   */
  readonly deadline?: Deadline;
  /**
   * Cancels the call when it aborts: the call ends with CANCELLED, with the reason as `cause` of the error.
   *
   * @default none
   */
  readonly signal?: AbortSignal;
  /**
   * Metadata of the request, as an object or a `Metadata`, which stays as it is. Not beside metadata that is passed
   * before the options.
   *
   * @default none
   *
   * @example
   *   this.orders.find({ id }, { metadata: { 'x-tenant': 'acme' } });
   */
  readonly metadata?: Metadata | MetadataInit;
  /**
   * Whether the call waits until an endpoint can be reached, instead of failing with UNAVAILABLE. Set a `timeout` too.
   *
   * @default that of the `Metadata`; false
   */
  readonly waitForReady?: boolean;
  /**
   * The key of the call with `ring_hash`, instead of what the policy takes it from: calls with one key go to one
   * endpoint. An empty text counts as none. Other policies ignore it.
   *
   * @default what `by` of the policy names
   */
  readonly hashKey?: string;
  /**
   * `false`: no retries; an object: fewer attempts. It only lowers what `retry` of the client allows. A call that was
   * refused before it ran, or shed, is sent again whatever this says.
   *
   * @default as the client's `retry` says
   */
  readonly retry?: false | CallAttempts;
  /**
   * `false`: no hedging; an object: fewer attempts. It only lowers what `hedge` of the client allows; a method that is
   * hedged is not retried, so that `false` leaves one attempt.
   *
   * @default as the client's `hedge` says
   */
  readonly hedge?: false | CallAttempts;
  /**
   * Milliseconds from the start of each attempt to its first response, 1 to 86400000; the smaller of this and that of the
   * method applies. `false`: none. The last attempt that exceeds it ends the call with DEADLINE_EXCEEDED.
   *
   * @default `retry.attemptTimeout` of the client
   */
  readonly attemptTimeout?: number | false;
  /**
   * How important the call is: servers that shed load refuse the least important ones first.
   *
   * @default that of the method or the client, and of the call that the handler serves
   */
  readonly criticality?: CriticalityLevel;
  /**
   * Whether a call that a handler of `nestjs-grpc-lb/server` makes ends with the call that the handler serves; false for
   * work that goes on without its caller.
   *
   * @default true, unless `loadBalancing.deadline` says otherwise
   */
  readonly inherit?: boolean;
  /**
   * How the requests of the call are compressed: `gzip`, `deflate` or `identity` (not at all). A server that does not
   * accept the encoding gets uncompressed requests as soon as it has said so, in the first response headers.
   *
   * @default the channel option `grpc.default_compression_algorithm`
   */
  readonly compression?: 'identity' | 'deflate' | 'gzip';
  /**
   * Receives the response headers, before the first message; not called if there are none. It must not throw.
   *
   * @default none
   *
   * @example
   *   this.orders.find({ id }, { onMetadata: (metadata) => console.log(metadata.get('x-served-by')) });
   */
  readonly onMetadata?: (metadata: Metadata) => void;
  /**
   * Receives the status of the call once, also if it succeeds or is canceled, with the trailers as its `metadata`, before
   * the call ends for its caller. It must not throw.
   *
   * @default none
   */
  readonly onStatus?: (status: StatusObject) => void;
  /**
   * Call credentials, added to those of the client. Without TLS the call ends with UNAUTHENTICATED, and nothing is sent.
   *
   * @default those of the client
   */
  readonly credentials?: CallCredentials;
  /**
   * The `:authority` of the call.
   *
   * @default `grpc.default_authority`, or the host of the target
   */
  readonly host?: string;
  /**
   * The call of a server whose deadline and cancellation this call inherits; `inherit` finds it by itself.
   *
   * @default none
   */
  readonly parent?: CallOptions['parent'];
  /** Which parts of `parent` are inherited, as in `propagate` of grpc-js. @default all */
  readonly propagate_flags?: number;
  /**
   * Interceptors of the call, instead of those of the client.
   *
   * @default those of the client
   */
  readonly interceptors?: Interceptor[];
  /**
   * The same, chosen by method.
   *
   * @default none
   */
  readonly interceptor_providers?: InterceptorProvider[];
}
