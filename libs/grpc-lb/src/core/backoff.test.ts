import { expect, test } from 'vitest';
import { backoffMs } from './backoff.js';

test('grows by a factor of 1.6 from the initial to the maximum value', () => {
  const waits = [0, 1, 2, 10, 10_000].map((failures) => backoffMs(failures, 30_000, () => 0.5));
  expect(waits).toEqual([1000, 1600, 2560, 30_000, 30_000].map((ms): unknown => expect.closeTo(ms)));
  expect(backoffMs(1, 30_000, () => 0.5, 100)).toBeCloseTo(160);
});

test('has jitter of ± 20 %, even at the maximum', () => {
  expect(backoffMs(0, 30_000, () => 0)).toBeCloseTo(800);
  expect(backoffMs(100, 30_000, () => 0.999_999)).toBeCloseTo(36_000, 0);
});
