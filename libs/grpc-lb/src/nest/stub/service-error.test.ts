import { status as Status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { serviceError } from './service-error.js';

test.each([
  'The server does not implement the method /orders.v1.Orders/Find',
  'unknown service orders.v1.Orders',
  'unknown method Find for service orders.v1.Orders',
  'Method not found: orders.v1.Orders/Find',
  'Method not found!',
])('a server without the method, "%s": the message names the client and what to check', (details) => {
  const { message, ...rest } = serviceError({ code: Status.UNIMPLEMENTED, details }, undefined, 'ORDERS');
  expect(message).toMatch(/^12 UNIMPLEMENTED: .* \(client ORDERS: the server has no such method: check the address/);
  expect(rest).toMatchObject({ code: Status.UNIMPLEMENTED, details });
});

test.each([
  [Status.UNIMPLEMENTED, 'refunds are not implemented yet'],
  [Status.NOT_FOUND, 'unknown service orders.v1.Orders'],
  [Status.DEADLINE_EXCEEDED, 'Deadline exceeded after 0.512s'],
  [Status.DEADLINE_EXCEEDED, 'Deadline exceeded after 10.012s'],
])('what handlers and usual timeouts say stays as it is: %i %s', (code, details) => {
  expect(serviceError({ code, details }, undefined, 'ORDERS').message).toBe(`${code} ${Status[code]}: ${details}`);
});
