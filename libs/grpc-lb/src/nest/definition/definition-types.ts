import type { MethodDefinition } from '@grpc/grpc-js';

/**
 * A service as grpc-js defines it: `OrdersService` of ts-proto with `outputServices=grpc-js` or of grpc-tools, or
 * `OrdersClient.service`.
 */
// Only `any` matches methods with every type of messages.
// oxlint-disable-next-line typescript/no-explicit-any
export type GrpcJsDefinition = Readonly<Record<string, MethodDefinition<any, any>>>;

/** A message of a generic definition. */
export interface GenericMessage {
  // As above: the messages have types of their own.
  /** Encodes a message. */
  // oxlint-disable-next-line typescript/no-explicit-any
  encode(message: any, writer?: any): { finish(): Uint8Array };
  /** Decodes a message. */
  // oxlint-disable-next-line typescript/no-explicit-any
  decode(input: Uint8Array, length?: number): any;
  /** Completes a message with defaults; absent with `outputPartialMethods=false`. */
  // oxlint-disable-next-line typescript/no-explicit-any
  fromPartial?(object: any): any;
}

/** A method of a generic definition. */
export interface GenericMethod {
  /** As in the proto file. */
  readonly name: string;
  /** The type of a request. */
  readonly requestType: GenericMessage;
  /** Whether it streams its requests. */
  readonly requestStream: boolean;
  /** The type of a response. */
  readonly responseType: GenericMessage;
  /** Whether it streams its responses. */
  readonly responseStream: boolean;
  /** The options of the method; `idempotencyLevel` is read. */
  readonly options?: object;
}

/** A service of ts-proto with `outputServices=generic-definitions`. */
export interface GenericDefinition {
  /** As in the proto file. */
  readonly name: string;
  /** With its package, as in `orders.v1.Orders`. */
  readonly fullName: string;
  /** By the name that a client calls. */
  readonly methods: Readonly<Record<string, GenericMethod>>;
}

/** A message of `@bufbuild/protobuf`, as far as it is read here. */
export interface EsMessageDescriptor {
  /** What the descriptor describes. */
  readonly kind: 'message';
  /** With its package, as in `orders.v1.Order`. */
  readonly typeName: string;
  /** Its fields and oneofs. */
  readonly members: readonly { readonly localName: string }[];
}

/** A method of `@bufbuild/protobuf`, as far as it is read here. */
export interface EsMethodDescriptor {
  /** As in the proto file. */
  readonly name: string;
  /** Whether it streams its requests, its responses, or both. */
  readonly methodKind: 'unary' | 'server_streaming' | 'client_streaming' | 'bidi_streaming';
  /** The type of a request. */
  readonly input: EsMessageDescriptor;
  /** The type of a response. */
  readonly output: EsMessageDescriptor;
  /** The number of its `idempotency_level`. */
  readonly idempotency: number;
}

/** A service of `@bufbuild/protobuf` 2, as protoc-gen-es generates it. */
export interface EsDefinition {
  /** What the descriptor describes. */
  readonly kind: 'service';
  /** As in the proto file. */
  readonly name: string;
  /** With its package, as in `orders.v1.Orders`. */
  readonly typeName: string;
  /** By the name that a client calls. */
  readonly method: Readonly<Record<string, EsMethodDescriptor>>;
}

/** A service of generated code, in any of the forms that a client can call. */
export type GrpcLbServiceDefinition = GrpcJsDefinition | GenericDefinition | EsDefinition;
