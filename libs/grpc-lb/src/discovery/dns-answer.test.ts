import { expect, test } from 'vitest';
import { toEndpoints } from './dns-answer.js';

const order = (...addresses: string[]): string[] =>
  toEndpoints(
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    1,
  ).map((endpoint) => ('host' in endpoint.address ? endpoint.address.host : ''));

test('each address becomes one endpoint with the port', () => {
  expect(toEndpoints([{ address: '10.0.0.1', family: 4 }], 50_051)).toEqual([
    { address: { host: '10.0.0.1', port: 50_051 } },
  ]);
});

test('rotated records give the same list', () => {
  const sorted = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
  expect(order('10.0.0.2', '10.0.0.3', '10.0.0.1')).toEqual(sorted);
  expect(order('10.0.0.3', '10.0.0.1', '10.0.0.2')).toEqual(sorted);
});

test('duplicates are dropped', () => {
  expect(order('10.0.0.2', '10.0.0.1', '10.0.0.2')).toEqual(['10.0.0.1', '10.0.0.2']);
});

test('the family that the resolver put first stays first', () => {
  expect(order('fd00::2', '10.0.0.1', 'fd00::1')).toEqual(['fd00::1', 'fd00::2', '10.0.0.1']);
  expect(order('10.0.0.2', '10.0.0.1', '2001:db8::1')).toEqual(['10.0.0.1', '10.0.0.2', '2001:db8::1']);
  expect(order('200.0.0.1', '2001:db8::1')).toEqual(['200.0.0.1', '2001:db8::1']);
});
