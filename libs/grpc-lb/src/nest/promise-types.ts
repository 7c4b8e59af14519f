import type { Metadata } from '@grpc/grpc-js';
import type { Observable } from 'rxjs';
import type { GrpcLbCallOptions } from './call-options.js';
import type { GrpcLbMethod, RequestOf } from './service-types.js';

/** A method with one response, as a Promise: each invocation is a call. */
export interface GrpcLbPromiseMethod<Req, Res> {
  (request: RequestOf<Req>, options?: GrpcLbCallOptions): Promise<Res>;
  (request: RequestOf<Req>, metadata?: Metadata, options?: GrpcLbCallOptions): Promise<Res>;
}

/**
 * A method with a stream of responses, as an iterable that its consumer pulls. The call starts with the loop, and is
 * canceled when the loop is left; a consumer that is slow stops the server.
 */
export interface GrpcLbStreamMethod<Req, Res> {
  (request: RequestOf<Req>, options?: GrpcLbCallOptions): AsyncIterableIterator<Res>;
  (request: RequestOf<Req>, metadata?: Metadata, options?: GrpcLbCallOptions): AsyncIterableIterator<Res>;
}

/**
 * An interface of methods that return a Promise, or for a stream of responses an AsyncIterable, like ts-proto with
 * `useAsyncIterable=true`. `PromisesOf` makes one of an interface of Observables.
 */
export type PromiseShape<T> = {
  // Only `any` matches methods of every signature; `unknown` would match none.
  // oxlint-disable-next-line typescript/no-explicit-any
  [K in keyof T]: (request: any, ...rest: any[]) => Promise<unknown> | AsyncIterable<unknown>;
};

/** The methods of a client class of Promises: those of the service, with metadata and call options. */
export type PromiseServiceClient<T> = {
  readonly [K in keyof T]: T[K] extends (request: infer Req, ...rest: never[]) => infer Answer
    ? Answer extends Promise<infer Res>
      ? GrpcLbPromiseMethod<Req, Res>
      : Answer extends AsyncIterable<infer Res>
        ? GrpcLbStreamMethod<Req, Res>
        : never
    : never;
};

/**
 * An interface of Observables as one of Promises. A type does not tell whether an Observable emits one response or a
 * stream of them, so name the methods that stream; without them, TypeScript takes a stream for one response.
 *
 * @example
 *   class FeedClient extends GrpcPromiseService<PromisesOf<Feed, 'watch'>>() {}
 *
 * @typeParam T An interface of methods that return Observables; methods that return Promises stay as they are.
 * @typeParam Streams The names of the methods with a stream of responses.
 */
export type PromisesOf<T, Streams extends keyof T = never> = {
  [K in keyof T]: T[K] extends (request: infer Req, ...rest: never[]) => Observable<infer Res>
    ? (request: Req) => K extends Streams ? AsyncIterable<Res> : Promise<Res>
    : T[K];
};

/** A method of Observables as one of Promises. */
export type PromiseFormOf<Method> =
  Method extends GrpcLbMethod<infer Req, infer Res>
    ? GrpcLbPromiseMethod<Req, Res>
    : Method extends (request: infer Req, ...rest: never[]) => Observable<infer Res>
      ? GrpcLbPromiseMethod<Req, Res>
      : never;

/** The methods of a client or stub of Observables, as Promises. */
export type PromiseClient<Client> = {
  readonly [K in keyof Client as [PromiseFormOf<Client[K]>] extends [never] ? never : K]: PromiseFormOf<Client[K]>;
};

/** One response, and what came with it. */
export interface GrpcLbResponse<Res> {
  /** The response. */
  readonly message: Res;
  /** The response headers; empty if the server sent none. */
  readonly headers: Metadata;
  /** The trailers; empty if the server sent none. */
  readonly trailers: Metadata;
}

/** A method of Observables or of Promises as one whose Promise has the headers and the trailers beside the response. */
export type ResponseFormOf<Method> =
  Method extends GrpcLbMethod<infer Req, infer Res>
    ? GrpcLbPromiseMethod<Req, GrpcLbResponse<Res>>
    : Method extends GrpcLbPromiseMethod<infer Req, infer Res>
      ? GrpcLbPromiseMethod<Req, GrpcLbResponse<Res>>
      : Method extends (request: infer Req, ...rest: never[]) => Observable<infer Res> | Promise<infer Res>
        ? GrpcLbPromiseMethod<Req, GrpcLbResponse<Res>>
        : never;

/** The methods of a client or stub with one response each, with headers and trailers. */
export type ResponseClient<Client> = {
  readonly [K in keyof Client as [ResponseFormOf<Client[K]>] extends [never] ? never : K]: ResponseFormOf<Client[K]>;
};
