import { expect, test } from 'vitest';
import { methodConfigsOf } from './service-config.js';

const name = [{ service: 'orders.v1.Orders' }];

test.each([
  ['0.05s', { seconds: 0, nanos: 50_000_000 }],
  ['1.500s', { seconds: 1, nanos: 500_000_000 }],
  ['30s', { seconds: 30, nanos: 0 }],
])('a timeout of %s is read as a decimal fraction, where grpc-js reads nanoseconds', (timeout, duration) => {
  expect(methodConfigsOf({ methodConfig: [{ name, timeout }] })).toEqual([{ name, timeout: duration }]);
});

test('a timeout may be a Duration, or absent', () => {
  const methodConfig = [{ name, timeout: { seconds: 1, nanos: 5 } }, { name: [{ service: 'other' }] }];
  expect(methodConfigsOf({ methodConfig })).toEqual(methodConfig);
});
