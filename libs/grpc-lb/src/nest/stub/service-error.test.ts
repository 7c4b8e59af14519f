import { status as Status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { serviceError } from './service-error.js';

const FIND = { client: 'ORDERS', method: '/orders.v1.Orders/Find', peer: '10.0.0.7:50051' };

test.each([
  'The server does not implement the method /orders.v1.Orders/Find',
  'unknown service orders.v1.Orders',
  'unknown method Find for service orders.v1.Orders',
  'Method not found: orders.v1.Orders/Find',
  'Method not found!',
])('a server without the method, "%s": the message names the client and what to check', (details) => {
  const { message, ...rest } = serviceError({ code: Status.UNIMPLEMENTED, details }, undefined, FIND);
  expect(message).toMatch(/^12 UNIMPLEMENTED: .* \(client ORDERS: the server has no such method: check the address/);
  expect(rest).toMatchObject({ code: Status.UNIMPLEMENTED, details });
});

test.each([
  [Status.UNIMPLEMENTED, 'refunds are not implemented yet'],
  [Status.NOT_FOUND, 'unknown service orders.v1.Orders'],
  [Status.DEADLINE_EXCEEDED, 'Deadline exceeded after 0.512s'],
  [Status.DEADLINE_EXCEEDED, 'Deadline exceeded after 10.012s'],
])('what handlers and usual timeouts say stays as it is: %i %s', (code, details) => {
  expect(serviceError({ code, details }, undefined, FIND).message).toBe(`${code} ${Status[code]}: ${details}`);
});

test('a deadline that looks like seconds is explained, even if the server says first that it has passed', () => {
  const bare = { code: Status.DEADLINE_EXCEEDED, details: 'Deadline exceeded' };
  expect(serviceError(bare, undefined, { ...FIND, timeout: 5 })).toMatchObject({
    message:
      '4 DEADLINE_EXCEEDED: Deadline exceeded (client ORDERS: times are in milliseconds, as in { timeout: 5000 } for 5 s)',
    details: 'Deadline exceeded',
  });
  for (const timeout of [undefined, 500, Infinity])
    expect(serviceError(bare, undefined, { ...FIND, timeout }).message).toBe('4 DEADLINE_EXCEEDED: Deadline exceeded');
});

test('names the client, the method and the backend in properties that loggers show', () => {
  const error = serviceError({ code: Status.UNKNOWN, details: 'Internal server error' }, undefined, FIND);
  expect(Object.keys(error)).toEqual(['code', 'details', 'metadata', 'client', 'method', 'peer']);
  expect(error).toMatchObject(FIND);
  const unsent = serviceError({ code: Status.UNAVAILABLE, details: 'x' }, undefined, { ...FIND, peer: undefined });
  expect('peer' in unsent).toBe(false);
});
