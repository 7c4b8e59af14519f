import { expect, test } from 'vitest';
import { AttemptCounts } from './attempt-counts.js';

const at = (started: Readonly<Record<string, number>>) =>
  Object.entries(started).map(([address, n]) => ({ address, started: n }));

test('shares and rates are those of the window', () => {
  const counts = new AttemptCounts(10_000);
  counts.add(0, at({ a: 1000, b: 0 }));
  expect([counts.share('a'), counts.perSecond]).toEqual([null, null]);
  counts.add(1000, at({ a: 1010, b: 30 }));
  expect([counts.share('a'), counts.share('b'), counts.perSecond]).toEqual([0.25, 0.75, 40]);
  // The first second has left the window.
  for (let second = 2; second <= 11; second++) counts.add(second * 1000, at({ a: 1010, b: 30 + second }));
  expect(counts.share('a')).toBe(0);
  expect(counts.perSecond).toBeCloseTo(1.1, 1);
});

test('an endpoint that joins, leaves or returns counts from zero', () => {
  const counts = new AttemptCounts(10_000);
  counts.add(0, at({ a: 100, b: 50 }));
  counts.add(1000, at({ a: 110, c: 10 }));
  expect([counts.share('a'), counts.share('b'), counts.share('c')]).toEqual([0.5, 0, 0.5]);
  counts.add(2000, at({ a: 5, c: 15 }));
  expect([counts.of('a'), counts.of('c')]).toEqual([5, 15]);
});

test('without attempts there is no share', () => {
  const counts = new AttemptCounts(10_000);
  counts.add(0, at({ a: 7 }));
  counts.add(5000, at({ a: 7 }));
  expect([counts.share('a'), counts.perSecond]).toEqual([null, 0]);
});
