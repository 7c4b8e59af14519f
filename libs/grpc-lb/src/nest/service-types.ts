import type { CallOptions, Metadata } from '@grpc/grpc-js';
import type { Observable } from 'rxjs';

/** What may be said for one call. */
export interface GrpcLbCallOptions extends CallOptions {
  /** Milliseconds from the moment of the call, from 1 to 2147483647; the call then ends with DEADLINE_EXCEEDED. */
  readonly timeout?: number;
  /** Aborting it cancels the call, which then ends with CANCELLED; the reason is the `cause` of the error. */
  readonly signal?: AbortSignal;
}

/** What the request of a client-streaming or bidirectional call may come from. Only an iterable can be slowed down. */
export type RequestStream<T> = Observable<T> | AsyncIterable<T> | Iterable<T>;

/** A request as the caller passes it: for a stream of requests any source of items. */
export type RequestOf<T> = T extends Observable<infer Item> ? RequestStream<Item> : T;

/** One method of a service. Nothing is sent before the Observable is subscribed to, and each subscription is a call. */
export interface GrpcLbMethod<Req, Res> {
  (request: RequestOf<Req>, options?: GrpcLbCallOptions): Observable<Res>;
  (request: RequestOf<Req>, metadata?: Metadata, options?: GrpcLbCallOptions): Observable<Res>;
}

/** An interface of methods that return Observables, as Nest's own clients and ts-proto with `nestJs=true` have it. */
export type ServiceShape<T> = {
  // `any` is what matches methods of every signature; `unknown` would match none.
  // oxlint-disable-next-line typescript/no-explicit-any
  [K in keyof T]: (request: any, ...rest: any[]) => Observable<unknown>;
};

/** What a client class can do: the methods of the service, with metadata and call options. */
export type ServiceClient<T> = {
  readonly [K in keyof T]: T[K] extends (request: infer Req, ...rest: never[]) => Observable<infer Res>
    ? GrpcLbMethod<Req, Res>
    : never;
};
