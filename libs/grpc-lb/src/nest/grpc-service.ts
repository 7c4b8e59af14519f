import type { CallOptions, Metadata } from '@grpc/grpc-js';
import type { Type } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { GrpcLbClientHandle } from './client-handle.js';
import { declaredService } from './decorators/metadata.js';

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

/**
 * @internal The property into which Nest injects the client. Where that cannot be, as for a class that is listed in
 * `providers`, Nest's error shows this text.
 */
export const CLIENT_PROPERTY = Symbol(
  'client of nestjs-grpc-lb: list the class in GrpcLbModule.forFeature([...]), not in providers',
);
const STUB = Symbol('nestjs-grpc-lb stub');

type Stub = Record<string, (...args: unknown[]) => unknown>;

/**
 * The base of a client class: `class OrdersClient extends GrpcService<Orders>() {}` has the methods of the service.
 * A class may override one as a property, and call what it overrides: `override readonly find: GrpcLbMethod<Req, Res> =
 * (request) => super.find(request)`.
 */
export function GrpcService<T extends ServiceShape<T>>(): Type<ServiceClient<T>> {
  class ServiceBase {
    declare [STUB]: Stub | undefined;

    /** Nest sets this when it has built the instance; what the service can do is known only now. */
    set [CLIENT_PROPERTY](client: GrpcLbClientHandle) {
      this[STUB] = client.getService<Stub>(declaredService(this.constructor as Type));
      for (const method of Object.keys(this[STUB])) defineMethod(ServiceBase.prototype, method);
    }
  }
  return ServiceBase as unknown as Type<ServiceClient<T>>;
}

/** On the prototype, below the user's class, so that the user's own methods win. */
function defineMethod(prototype: object, method: string): void {
  if (Object.hasOwn(prototype, method)) return;
  Object.defineProperty(prototype, method, {
    configurable: true,
    writable: true,
    value(this: { [STUB]: Stub }, ...args: unknown[]) {
      return this[STUB][method]!(...args);
    },
  });
}
