/** What ts-proto writes for the page about generated code, without the bodies; generated-code.test.ts runs it. */
export interface FindRequest {
  id: string;
}
export interface Order {
  id: string;
  servedBy: string;
}
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
