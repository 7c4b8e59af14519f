import type { CallOptions, Metadata, StatusObject } from '@grpc/grpc-js';
import type { Observable } from 'rxjs';
import type { CriticalityLevel } from '../core/call/criticality.js';

/** Options of one call. */
export interface GrpcLbCallOptions extends CallOptions {
  /** Milliseconds from the start of the call, 1 to 2147483647, after which it ends with DEADLINE_EXCEEDED. */
  readonly timeout?: number;
  /** Cancels the call when it aborts: the call ends with CANCELLED, with the reason as `cause` of the error. */
  readonly signal?: AbortSignal;
  /**
   * Whether a call that a handler of `nestjs-grpc-lb/server` makes ends with the call that the handler serves; false for
   * work that goes on without its caller.
   *
   * @default true, unless `loadBalancing.deadline` says otherwise
   */
  readonly inherit?: boolean;
  /**
   * How important the call is: servers that shed load refuse the least important ones first.
   *
   * @default that of the method or the client, and of the call that the handler serves
   */
  readonly criticality?: CriticalityLevel;
  /**
   * Receives the response headers of the call.
   *
   * @example
   *   this.orders.find({ id }, { onMetadata: (metadata) => console.log(metadata.get('x-served-by')) });
   */
  readonly onMetadata?: (metadata: Metadata) => void;
  /** Receives the status of the call, and the trailers as its `metadata`, also if the call succeeds. */
  readonly onStatus?: (status: StatusObject) => void;
}

/** The source of requests of a client-streaming or bidirectional call. Only iterables get backpressure. */
export type RequestStream<T> = Observable<T> | AsyncIterable<T> | Iterable<T>;

/** A request as the caller passes it: any source of items for a stream of requests. */
export type RequestOf<T> = T extends Observable<infer Item> ? RequestStream<Item> : T;

/** One method of a service. Each subscription of the Observable is a call; nothing is sent before you subscribe. */
export interface GrpcLbMethod<Req, Res> {
  (request: RequestOf<Req>, options?: GrpcLbCallOptions): Observable<Res>;
  (request: RequestOf<Req>, metadata?: Metadata, options?: GrpcLbCallOptions): Observable<Res>;
}

/** An interface of methods that return Observables, like Nest's own clients and ts-proto with `nestJs=true`. */
export type ServiceShape<T> = {
  // Only `any` matches methods of every signature; `unknown` would match none.
  // oxlint-disable-next-line typescript/no-explicit-any
  [K in keyof T]: (request: any, ...rest: any[]) => Observable<unknown>;
};

/** The methods of a client class: those of the service, with metadata and call options. */
export type ServiceClient<T> = {
  readonly [K in keyof T]: T[K] extends (request: infer Req, ...rest: never[]) => Observable<infer Res>
    ? GrpcLbMethod<Req, Res>
    : never;
};
