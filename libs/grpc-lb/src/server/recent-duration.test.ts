import { expect, test } from 'vitest';
import { RecentDuration } from './recent-duration.js';

function after(...durations: readonly number[]): RecentDuration {
  const recent = new RecentDuration();
  for (const duration of durations) recent.record(duration);
  return recent;
}

test('is the mean of the first eight calls, each as much', () => {
  expect(new RecentDuration().mean).toBe(0);
  expect(after(8).mean).toBe(8);
  expect(after(1, 2, 3, 4, 5, 6, 7, 8).mean).toBeCloseTo(4.5, 12);
});

test('then follows the last ones: after sixteen others, seven eighths of what was are gone', () => {
  const recent = after(...Array.from({ length: 1000 }, () => 10));
  for (let i = 0; i < 16; i++) recent.record(110);
  expect(recent.mean).toBeCloseTo(110 - 100 * (7 / 8) ** 16, 9);
});

test('a call that is given up counts only if it has taken longer than the others', () => {
  const recent = after(10, 10, 10);
  recent.recordAtLeast(9);
  expect(recent.mean).toBe(10);
  recent.recordAtLeast(50);
  expect(recent.mean).toBe(20);
});
