import type { GenMessage, GenService } from '@bufbuild/protobuf/codegenv2';
import type { Message } from '@bufbuild/protobuf';
import type { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';

/** Generated code, as far as types go: test/e2e/definitions and test/package use what the generators write. */

export interface FindRequest {
  id: string;
  userId: string;
  since: Date | undefined;
}

export interface Order {
  id: string;
  total: bigint;
  tags: string[];
}

/** ts-proto with outputServices=grpc-js. */
export declare const OrdersService: {
  readonly find: {
    readonly path: '/shop.v1.Orders/Find';
    readonly requestStream: false;
    readonly responseStream: false;
    readonly requestSerialize: (value: FindRequest) => Buffer;
    readonly requestDeserialize: (value: Buffer) => FindRequest;
    readonly responseSerialize: (value: Order) => Buffer;
    readonly responseDeserialize: (value: Buffer) => Order;
  };
  readonly watch: {
    readonly path: '/shop.v1.Orders/Watch';
    readonly requestStream: false;
    readonly responseStream: true;
    readonly requestSerialize: (value: FindRequest) => Buffer;
    readonly requestDeserialize: (value: Buffer) => FindRequest;
    readonly responseSerialize: (value: Order) => Buffer;
    readonly responseDeserialize: (value: Buffer) => Order;
  };
  readonly place: {
    readonly path: '/shop.v1.Orders/Place';
    readonly requestStream: true;
    readonly responseStream: false;
    readonly requestSerialize: (value: Order) => Buffer;
    readonly requestDeserialize: (value: Buffer) => Order;
    readonly responseSerialize: (value: Order) => Buffer;
    readonly responseDeserialize: (value: Buffer) => Order;
  };
  readonly bargain: {
    readonly path: '/shop.v1.Orders/Bargain';
    readonly requestStream: true;
    readonly responseStream: true;
    readonly requestSerialize: (value: Order) => Buffer;
    readonly requestDeserialize: (value: Buffer) => Order;
    readonly responseSerialize: (value: Order) => Buffer;
    readonly responseDeserialize: (value: Buffer) => Order;
  };
};

type DeepPartial<T> = { [K in keyof T]?: T[K] };

interface MessageFns<T> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
  decode(input: BinaryReader | Uint8Array, length?: number): T;
  fromPartial<I extends DeepPartial<T>>(object: I): T;
}

/** ts-proto with outputServices=generic-definitions. */
export declare const OrdersDefinition: {
  readonly name: 'Orders';
  readonly fullName: 'shop.v1.Orders';
  readonly methods: {
    readonly find: {
      readonly name: 'Find';
      readonly requestType: MessageFns<FindRequest>;
      readonly requestStream: false;
      readonly responseType: MessageFns<Order>;
      readonly responseStream: false;
      readonly options: { readonly idempotencyLevel: 'NO_SIDE_EFFECTS' };
    };
    readonly watch: {
      readonly name: 'Watch';
      readonly requestType: MessageFns<FindRequest>;
      readonly requestStream: false;
      readonly responseType: MessageFns<Order>;
      readonly responseStream: true;
      readonly options: {};
    };
    readonly place: {
      readonly name: 'Place';
      readonly requestType: MessageFns<Order>;
      readonly requestStream: true;
      readonly responseType: MessageFns<Order>;
      readonly responseStream: false;
      readonly options: {};
    };
    readonly bargain: {
      readonly name: 'Bargain';
      readonly requestType: MessageFns<Order>;
      readonly requestStream: true;
      readonly responseType: MessageFns<Order>;
      readonly responseStream: true;
      readonly options: {};
    };
  };
};

/** Messages of protoc-gen-es. */
export type EsItem = Message<'shop.v1.Item'> & { sku: string };
export type EsOrder = Message<'shop.v1.Order'> & {
  id: string;
  total: bigint;
  data: Uint8Array;
  items: EsItem[];
  named: { [key: string]: EsItem };
  first?: EsItem | undefined;
  payment: { value: string; case: 'card' } | { value: EsItem; case: 'item' } | { case: undefined; value?: undefined };
};
export declare const EsOrderSchema: GenMessage<EsOrder>;

export declare const EsOrders: GenService<{
  find: { methodKind: 'unary'; input: typeof EsOrderSchema; output: typeof EsOrderSchema };
  watch: { methodKind: 'server_streaming'; input: typeof EsOrderSchema; output: typeof EsOrderSchema };
  place: { methodKind: 'client_streaming'; input: typeof EsOrderSchema; output: typeof EsOrderSchema };
  bargain: { methodKind: 'bidi_streaming'; input: typeof EsOrderSchema; output: typeof EsOrderSchema };
}>;
