import { expect, test } from 'vitest';
import { encodeAssignment } from '../../../../../test/support/xds/ads-server.js';
import { assignment } from '../../../../../test/support/xds/resources.js';
import { sizeOf } from './assignment-size.js';

const endpoints = (count: number) => Array.from({ length: count }, (_, i) => ({ port: i + 1, weight: 1 }));
const encoded = (counts: readonly number[]): Buffer =>
  encodeAssignment(
    assignment(
      'orders',
      counts.map((count) => ({ zone: 'z', endpoints: endpoints(count) })),
    ),
  );

test('an assignment of usual size may be decoded', () => {
  expect(sizeOf(encoded([100, 0, 100]))).toMatchObject({ name: 'orders', fault: undefined });
  expect(sizeOf(encoded([10_000]))).toMatchObject({ fault: undefined });
  // About ten for each endpoint, and no more fields than bytes.
  expect(sizeOf(encoded([100])).fields).toBeGreaterThan(700);
  expect(sizeOf(encoded([100])).fields).toBeLessThan(1200);
});

test.each([
  ['localities', Buffer.alloc(4_194_304, Buffer.from([0x12, 0])), 'has 2097152 localities; use 1000 at most'],
  ['endpoints', encoded([5_000, 5_001]), 'has more than 10000 endpoints; use fewer'],
  [
    'fields without a use',
    Buffer.concat([encoded([1]), Buffer.alloc(4_194_304, Buffer.from([0x22, 0]))]),
    'has more than 120000 fields; remove those that are not needed',
  ],
])('an assignment with too many %s is rejected before it is decoded', (_, bytes, fault) => {
  const size = sizeOf(bytes);
  expect(size.fault).toBe(fault);
  // Counting stops at the limit.
  expect(size.fields).toBeLessThanOrEqual(120_001);
});
