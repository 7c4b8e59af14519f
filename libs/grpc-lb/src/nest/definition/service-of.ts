import type { Observable } from 'rxjs';
import type { EsRequest, EsResponse } from './es-types.js';
import type { EsDefinition, EsMethodDescriptor, GenericDefinition, GenericMethod } from './definition-types.js';
import type { PartialMessage } from './partial-message.js';

/** The types of a method of a definition; no value has this type. */
export interface MethodTypes<Req, Res, RequestStream, ResponseStream> {
  /** A request as the caller passes it. */
  readonly request: Req;
  /** A response as the caller gets it. */
  readonly response: Res;
  /** Whether it streams its requests. */
  readonly requestStream: RequestStream;
  /** Whether it streams its responses. */
  readonly responseStream: ResponseStream;
}

/** A method that returns an Observable. */
export type ObservableMethodOf<Method> =
  Method extends MethodTypes<infer Req, infer Res, infer RequestStream, unknown>
    ? RequestStream extends true
      ? (requests: Observable<Req>) => Observable<Res>
      : (request: Req) => Observable<Res>
    : never;

/** A method that returns a Promise, or an async iterable if it streams its responses. */
export type PromiseMethodOf<Method> =
  Method extends MethodTypes<infer Req, infer Res, infer RequestStream, infer ResponseStream>
    ? RequestStream extends true
      ? (requests: AsyncIterable<Req>) => PromiseAnswer<ResponseStream, Res>
      : (request: Req) => PromiseAnswer<ResponseStream, Res>
    : never;

/** What a method without RxJS returns. */
export type PromiseAnswer<ResponseStream, Res> = ResponseStream extends true ? AsyncIterable<Res> : Promise<Res>;

/** A request of a generic definition: what is left out has its default if the type has `fromPartial`. */
export type GenericRequest<Type> = Type extends { decode(...args: never[]): infer Message; fromPartial: unknown }
  ? PartialMessage<Message>
  : GenericResponse<Type>;

/** A response of a generic definition. */
export type GenericResponse<Type> = Type extends { decode(...args: never[]): infer Message } ? Message : never;

/** Whether a method of `@bufbuild/protobuf` streams its requests. */
export type EsRequestStream<Kind> = Kind extends 'client_streaming' | 'bidi_streaming' ? true : false;

/** Whether a method of `@bufbuild/protobuf` streams its responses. */
export type EsResponseStream<Kind> = Kind extends 'server_streaming' | 'bidi_streaming' ? true : false;

/** The methods of a service of `@bufbuild/protobuf`. */
export type EsMethods<Methods extends Readonly<Record<string, EsMethodDescriptor>>> = {
  [K in keyof Methods]: MethodTypes<
    EsRequest<Methods[K]['input']>,
    EsResponse<Methods[K]['output']>,
    EsRequestStream<Methods[K]['methodKind']>,
    EsResponseStream<Methods[K]['methodKind']>
  >;
};

/** The methods of a generic definition. */
export type GenericMethods<Methods extends Readonly<Record<string, GenericMethod>>> = {
  -readonly [K in keyof Methods]: MethodTypes<
    GenericRequest<Methods[K]['requestType']>,
    GenericResponse<Methods[K]['responseType']>,
    Methods[K]['requestStream'],
    Methods[K]['responseStream']
  >;
};

/** The methods of a service of grpc-js. */
export type GrpcJsMethods<Methods> = {
  // Without an index signature, under which any name would be a method.
  -readonly [K in keyof Methods as string extends K ? never : K]: Methods[K] extends {
    readonly requestStream: infer RequestStream;
    readonly responseStream: infer ResponseStream;
    requestSerialize(value: infer Req): unknown;
    responseDeserialize(value: never): infer Res;
  }
    ? MethodTypes<Req, Res, RequestStream, ResponseStream>
    : never;
};

/** The methods of a service of generated code, in any of its forms. */
export type MethodsOf<Definition> = Definition extends EsDefinition
  ? EsMethods<Definition['method']>
  : Definition extends GenericDefinition
    ? GenericMethods<Definition['methods']>
    : GrpcJsMethods<Definition>;

/**
 * The interface of a service of generated code, as Nest's own clients have it: methods that return Observables.
 *
 * @example
 *   class OrdersClient extends GrpcService<ServiceOf<typeof OrdersDefinition>>(OrdersDefinition) {}
 */
export type ServiceOf<Definition> = {
  [K in keyof MethodsOf<Definition>]: ObservableMethodOf<MethodsOf<Definition>[K]>;
};

/**
 * The same without RxJS: methods that return Promises, and async iterables of streamed responses.
 *
 * @example
 *   class OrdersClient extends GrpcPromiseService<PromiseServiceOf<typeof OrdersDefinition>>(OrdersDefinition) {}
 */
export type PromiseServiceOf<Definition> = {
  [K in keyof MethodsOf<Definition>]: PromiseMethodOf<MethodsOf<Definition>[K]>;
};
