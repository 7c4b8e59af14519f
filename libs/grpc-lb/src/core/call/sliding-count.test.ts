import { expect, test } from 'vitest';
import { SlidingCount } from './sliding-count.js';

test('drops what has left the window, slice by slice', () => {
  const count = new SlidingCount(3);
  for (const [slice, total] of [
    [10, 1],
    [10, 2],
    [12, 3],
    [13, 2],
    [15, 2],
    [16, 2],
    [1000, 1],
  ] as const) {
    count.turnTo(slice);
    count.add();
    expect(count.total, `in slice ${slice}`).toBe(total);
  }
  count.turnTo(1003);
  expect(count.total).toBe(0);
});

test('takes a time before the newest slice as the newest', () => {
  const count = new SlidingCount(3);
  count.turnTo(5);
  count.turnTo(4);
  count.add();
  count.turnTo(7);
  expect(count.total).toBe(1);
  count.turnTo(8);
  expect(count.total).toBe(0);
});
