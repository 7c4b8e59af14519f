import { propagate } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { inheritedDeadline, type ParentCall } from './parent-call.js';

const NOW = 1_000_000;
const parentWith = (deadline: number | Date): ParentCall => ({
  cancelled: false,
  getDeadline: () => deadline,
  on: () => {},
  off: () => {},
});
const inherited = (deadline: number | Date, flags: number = propagate.DEFAULTS): number =>
  inheritedDeadline(parentWith(deadline), flags, NOW);

test.each([3, 100, 1e9])('a deadline in %i ms is inherited as it is', (left) => {
  expect(inherited(NOW + left)).toBe(NOW + left);
  expect(inherited(new Date(NOW + left))).toBe(NOW + left);
});

test.each([2, 0.5, 0])('a deadline in %d ms has passed: the call would reach its server after it', (left) => {
  expect(inherited(NOW + left)).toBe(NOW);
});

test('a deadline that has passed stays when it was', () => {
  expect(inherited(NOW - 50)).toBe(NOW - 50);
});

test('no parent, no deadline and the flags of grpc-js inherit none', () => {
  expect(inheritedDeadline(null, propagate.DEFAULTS, NOW)).toBe(Infinity);
  expect(inherited(Infinity)).toBe(Infinity);
  expect(inherited(NOW + 100, propagate.CANCELLATION)).toBe(Infinity);
});
