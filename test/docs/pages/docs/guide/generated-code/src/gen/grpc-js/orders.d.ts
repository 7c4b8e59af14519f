import type { FindRequest as Find, Order } from '../orders.js';

export type { Order };
export type FindRequest = Find;
export declare const FindRequest: { fromPartial(object: Partial<Find>): Find };
export declare const OrdersService: {
  readonly find: {
    readonly path: '/orders.v1.Orders/Find';
    readonly requestStream: false;
    readonly responseStream: false;
    readonly requestSerialize: (value: FindRequest) => Buffer;
    readonly requestDeserialize: (value: Buffer) => FindRequest;
    readonly responseSerialize: (value: Order) => Buffer;
    readonly responseDeserialize: (value: Buffer) => Order;
  };
};
