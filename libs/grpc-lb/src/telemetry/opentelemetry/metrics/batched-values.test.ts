import { afterEach, expect, test, vi } from 'vitest';
import { BatchedValues } from './batched-values.js';

afterEach(() => void vi.useRealTimers());

function recorded() {
  vi.useFakeTimers();
  const seen: unknown[][] = [];
  const histogram = { record: (...args: unknown[]) => void seen.push(args) };
  const labels = { status: 'OK' };
  const values = new BatchedValues();
  return { seen, labels, values, series: values.series(histogram, labels) };
}

test('an instrument gets all values in their order, with labels and contexts, when it is collected', () => {
  const { seen, labels, values, series } = recorded();
  for (const value of [3, 1, 2]) series.record(value, `context ${value}`);
  expect(seen).toEqual([]);
  values.flush();
  expect(seen).toEqual([3, 1, 2].map((value) => [value, labels, `context ${value}`]));
  values.flush();
  expect(seen).toHaveLength(3);
});

test('no more than 128 wait, and none for more than a second', () => {
  const { seen, series } = recorded();
  for (let i = 0; i < 127; i++) series.record(i, undefined);
  expect(seen).toEqual([]);
  series.record(127, undefined);
  expect(seen).toHaveLength(128);
  series.record(128, undefined);
  vi.advanceTimersByTime(999);
  expect(seen).toHaveLength(128);
  vi.advanceTimersByTime(1);
  expect(seen).toHaveLength(129);
  expect(vi.getTimerCount()).toBe(0);
});

test('a value that an instrument records while others are handed over waits for the next batch', () => {
  vi.useFakeTimers();
  const seen: number[] = [];
  const values = new BatchedValues();
  const series = values.series(
    { record: (value) => (seen.push(value) === 1 ? series.record(9, undefined) : undefined) },
    {},
  );
  series.record(1, undefined);
  values.flush();
  vi.advanceTimersByTime(1000);
  expect(seen).toEqual([1, 9]);
});
