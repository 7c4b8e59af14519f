import type { Message } from '@bufbuild/protobuf';
import type { GenMessage, GenService } from '@bufbuild/protobuf/codegenv2';

export type FindRequest = Message<'orders.v1.FindRequest'> & { id: string };
export type Order = Message<'orders.v1.Order'> & { id: string; servedBy: string };
export declare const FindRequestSchema: GenMessage<FindRequest>;
export declare const OrderSchema: GenMessage<Order>;
export declare const Orders: GenService<{
  find: { methodKind: 'unary'; input: typeof FindRequestSchema; output: typeof OrderSchema };
  watch: { methodKind: 'server_streaming'; input: typeof FindRequestSchema; output: typeof OrderSchema };
}>;
