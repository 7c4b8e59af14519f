import type { Metadata } from '@grpc/grpc-js';
import type { Observable } from 'rxjs';
import type { WholeMessage } from '../nest/definition/partial-message.js';
import type { RequestStream } from '../nest/service-types.js';

/** What a handler gets beside the request. */
export interface HandlerCall {
  /** As in `/orders.v1.Orders/Find`. */
  readonly method: string;
  /** The metadata that the caller sent. */
  readonly metadata: Metadata;
  /** Aborts when the call is over on the caller's side: canceled, past its deadline, disconnected. */
  readonly signal: AbortSignal;
}

/** What a handler of a fleet gets beside the request. */
export interface BackendCall extends HandlerCall {
  /** The index of the backend that got the call: 0 for `fleet[0]`. */
  readonly backend: number;
}

/** Messages of a stream of responses, in order. */
export type AnswerStream<Res> = Observable<Partial<Res>> | AsyncIterable<Partial<Res>> | Iterable<Partial<Res>>;

/**
 * What a handler may return: a message, a promise of one, or an Observable of one; for a stream of responses an
 * Observable or an iterable. Fields that are left out have their default.
 */
export type Answer<Res> = Partial<Res> | AnswerStream<Res> | PromiseLike<Partial<Res> | AnswerStream<Res>>;

/** What a handler gets as the request: the message, or for a stream of requests an async iterable of messages. */
export type HandlerRequest<Req> = 0 extends 1 & Req
  ? // Of a service without types: the handler names its own.
    // oxlint-disable-next-line typescript/no-explicit-any
    any
  : [Req] extends [RequestStream<infer Item>]
    ? AsyncIterable<WholeMessage<Item>>
    : WholeMessage<Req>;

/**
 * Answers the calls of one method. To fail a call, throw, or return a rejected promise: `statusError('NOT_FOUND')`, or
 * any error that has the number of a status as its `code`.
 */
export type Handler<Req, Res, Call = HandlerCall> = (request: HandlerRequest<Req>, call: Call) => Answer<Res>;

/** What methods of a client class return: Observables, or Promises and async iterables. */
export type AnyCall<Res> = Observable<Res> | Promise<Res> | AsyncIterable<Res>;

/** The request of a method of a client class. */
export type RequestIn<Method> = Method extends (request: infer Req, ...rest: never[]) => AnyCall<unknown> ? Req : never;

/** The response of a method of a client class. */
export type ResponseIn<Method> = Method extends (...args: never[]) => AnyCall<infer Res> ? Res : never;

/** The handlers of a client class, by the names of its methods. Each may be left out. */
export type HandlersOf<Client, Call = HandlerCall> = {
  readonly [K in keyof Client as Client[K] extends (...args: never[]) => AnyCall<unknown> ? K : never]?: Handler<
    RequestIn<Client[K]>,
    ResponseIn<Client[K]>,
    Call
  >;
};

/** Any service, where its types are not known. */
// Only `any` lets a handler name the types of its parameters.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyClient = Readonly<Record<string, (request: any, ...rest: any[]) => AnyCall<any>>>;

/** @internal A handler when its types do not matter. */
export type UntypedHandler = (request: unknown, call: HandlerCall) => unknown;
