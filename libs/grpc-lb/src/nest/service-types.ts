import type { Metadata } from '@grpc/grpc-js';
import type { Observable } from 'rxjs';
import type { GrpcLbCallOptions } from './call-options.js';

/** The source of requests of a client-streaming or bidirectional call. Only iterables get backpressure. */
export type RequestStream<T> = Observable<T> | AsyncIterable<T> | Iterable<T>;

/** A request as the caller passes it: any source of items for a stream of requests. */
export type RequestOf<T> = T extends Observable<infer Item> | AsyncIterable<infer Item> ? RequestStream<Item> : T;

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
