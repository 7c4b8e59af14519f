import type { MethodDefinition, ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';

export const ORDER_PROTO = fileURLToPath(new URL('../../../../../bench/peers/generated/order.proto', import.meta.url));

const PAGE_SIZE = 25;

/** As ts-proto and proto-loader take it; protobuf-es has bigints. */
export const orderOf = (createdAt: number | bigint): object => ({
  id: '7f4df34a-3f1f-44f0-8a58-9f0d6a3c2b11',
  customerId: 'customer-1734',
  status: 1,
  createdAt,
  total: 149.95,
  paid: true,
  address: { street: '12 Long Acre', city: 'London', postcode: 'WC2E 9LH' },
  items: [1, 2, 3].map((n) => ({ sku: `sku-${n}`, quantity: n, price: 9.99 * n })),
  labels: { channel: 'web', campaign: 'spring' },
});

export const CREATED_AT = 1_700_000_000_000;

export const LIST_REQUEST = { customerId: 'customer-1734', pageSize: PAGE_SIZE };

/** The method that answers a page, and the page. */
export function pageOfOrders(): { readonly path: string; readonly page: Buffer } {
  const service = loadSync(ORDER_PROTO)['bench.v1.Orders'] as ServiceClientConstructor['service'];
  const list = service['List'] as MethodDefinition<object, object>;
  const orders = Array.from({ length: PAGE_SIZE }, () => orderOf(CREATED_AT));
  return { path: list.path, page: list.responseSerialize({ orders }) };
}
