import { expect, test } from 'vitest';
import { hostAndPort } from './host-and-port.js';

test.each([
  ['127.0.0.1:1', '127.0.0.1', 1],
  ['[::1]:50051', '::1', 50_051],
  // As grpc-js's servers write the address of a client.
  ['::1:50051', '::1', 50_051],
  ['unix:/run/a:1', '/run/a:1', undefined],
  ['orders', 'orders', undefined],
  ['orders.shop:443', 'orders.shop', 443],
])('%s', (text, address, port) => {
  expect(hostAndPort(text)).toEqual({ address, port });
});
