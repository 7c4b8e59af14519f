import { expect, test } from 'vitest';
import { Workload } from './workload.js';

/** Park and Miller's minimal standard generator, so that the samples are the same on every run. */
function repeatable(): () => number {
  let state = 1;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

function durations(workload: Workload, count = 20_000): number[] {
  return Array.from({ length: count }, () => workload.durationMs()).toSorted((a, b) => a - b);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('the mean is delayMs times factor, and one in a hundred takes about twice as long', () => {
  const sorted = durations(new Workload({ delayMs: 20, factor: 3, errorRate: 0 }, repeatable()));
  expect(mean(sorted)).toBeCloseTo(60, 0);
  // exp(0.35 · 2.326 − 0.35² / 2) = 2.12 times the mean.
  expect(sorted[Math.floor(sorted.length * 0.99)]).toBeGreaterThan(60 * 2);
  expect(sorted[Math.floor(sorted.length * 0.99)]).toBeLessThan(60 * 2.25);
});

test('a changed setting takes effect with the next piece of work', () => {
  const workload = new Workload({ delayMs: 20, factor: 1, errorRate: 0 }, repeatable());
  workload.turn({ factor: 5 });
  expect(mean(durations(workload))).toBeCloseTo(100, -1);
});

test.each([
  [0, 0],
  [0.1, 1000],
  [1, 10_000],
])('an error rate of %d fails %d calls in 10,000, ± 10 %%', (errorRate, expected) => {
  const workload = new Workload({ delayMs: 0, factor: 1, errorRate }, repeatable());
  const failed = Array.from({ length: 10_000 }, () => workload.fails()).filter(Boolean).length;
  expect(Math.abs(failed - expected)).toBeLessThanOrEqual(expected / 10);
});
