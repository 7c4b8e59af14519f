import type { Observable } from 'rxjs';
import type { EsRequest, EsResponse } from './es-types.js';
import type { EsDefinition, EsMethodDescriptor, GenericDefinition, GenericMethod } from './definition-types.js';
import type { PartialMessage } from './partial-message.js';

/** A method, by whether it streams its requests. */
export type DefinedMethod<Streams, Req, Res> = Streams extends true
  ? (requests: Observable<Req>) => Observable<Res>
  : (request: Req) => Observable<Res>;

/** A request of a generic definition: what is left out has its default if the type has `fromPartial`. */
export type GenericRequest<Type> = Type extends { decode(...args: never[]): infer Message; fromPartial: unknown }
  ? PartialMessage<Message>
  : GenericResponse<Type>;

/** A response of a generic definition. */
export type GenericResponse<Type> = Type extends { decode(...args: never[]): infer Message } ? Message : never;

/** Whether a method of `@bufbuild/protobuf` streams its requests. */
export type EsStreams<Kind> = Kind extends 'client_streaming' | 'bidi_streaming' ? true : false;

/** The methods of a service of `@bufbuild/protobuf`. */
export type EsMethods<Methods extends Readonly<Record<string, EsMethodDescriptor>>> = {
  [K in keyof Methods]: DefinedMethod<
    EsStreams<Methods[K]['methodKind']>,
    EsRequest<Methods[K]['input']>,
    EsResponse<Methods[K]['output']>
  >;
};

/** The methods of a generic definition. */
export type GenericMethods<Methods extends Readonly<Record<string, GenericMethod>>> = {
  -readonly [K in keyof Methods]: DefinedMethod<
    Methods[K]['requestStream'],
    GenericRequest<Methods[K]['requestType']>,
    GenericResponse<Methods[K]['responseType']>
  >;
};

/** The methods of a service of grpc-js. */
export type GrpcJsMethods<Methods> = {
  // Without an index signature, under which any name would be a method.
  -readonly [K in keyof Methods as string extends K ? never : K]: Methods[K] extends {
    readonly requestStream: infer Streams;
    requestSerialize(value: infer Req): unknown;
    responseDeserialize(value: never): infer Res;
  }
    ? DefinedMethod<Streams, Req, Res>
    : never;
};

/**
 * The interface of a service of generated code, as Nest's own clients have it: methods that return Observables.
 *
 * @example
 *   class OrdersClient extends GrpcService<ServiceOf<typeof OrdersDefinition>>(OrdersDefinition) {}
 */
export type ServiceOf<Definition> = Definition extends EsDefinition
  ? EsMethods<Definition['method']>
  : Definition extends GenericDefinition
    ? GenericMethods<Definition['methods']>
    : GrpcJsMethods<Definition>;
