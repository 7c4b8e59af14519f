/** What ts-proto writes for the page about generated code, without the bodies; generated-code.test.ts runs it. */
export interface FindRequest {
  id: string;
}
export interface Order {
  id: string;
  servedBy: string;
}
interface MessageFns<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(input: Uint8Array, length?: number): T;
  fromPartial(object: Partial<T>): T;
}
export declare const OrdersDefinition: {
  readonly name: 'Orders';
  readonly fullName: 'orders.v1.Orders';
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
  };
};
