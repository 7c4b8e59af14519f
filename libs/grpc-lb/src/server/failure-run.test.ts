import { expect, test } from 'vitest';
import { FailureRun } from './failure-run.js';

function after(...results: readonly (readonly [count: number, failed: boolean])[]): number {
  const run = new FailureRun();
  for (const [count, failed] of results) for (let i = 0; i < count; i++) run.ended(failed);
  return run.length;
}

test('a few failures are conclusive after many successes, and many without', () => {
  expect(after([1000, false], [2, true])).toBe(0);
  expect(after([1000, false], [3, true])).toBe(3);
  expect(after([10, false], [5, true])).toBe(0);
  expect(after([10, false], [6, true])).toBe(6);
  expect(after([19, true])).toBe(0);
  expect(after([20, true])).toBe(20);
});

test('one success ends it', () => {
  expect(after([1000, false], [50, true], [1, false])).toBe(0);
});

test('a server that fails half of its calls needs a long one', () => {
  const run = new FailureRun();
  for (let i = 0; i < 5000; i++) run.ended(i % 2 === 0);
  run.ended(false);
  for (let i = 0; i < 19; i++) run.ended(true);
  expect(run.length).toBe(0);
  run.ended(true);
  expect(run.length).toBe(20);
});

test('what a server did long ago is forgotten', () => {
  // Half of its calls failed, and then none of ten thousand.
  const halves = Array.from({ length: 1000 }, (_, i): [number, boolean] => [1, i % 2 === 0]);
  expect(after(...halves, [10_000, false], [3, true])).toBe(3);
});
