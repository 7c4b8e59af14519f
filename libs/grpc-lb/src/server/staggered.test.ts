import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { seededRandom } from '../core/random.js';
import { staggered } from './staggered.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

interface Act {
  readonly item: number;
  readonly at: number;
}

function run(count: number, delay: number, duration: number): { acts: Act[]; cancel(): void } {
  const acts: Act[] = [];
  const start = performance.now();
  const items = Array.from({ length: count }, (_, i) => i);
  const act = (item: number): void => void acts.push({ item, at: performance.now() - start });
  return { acts, ...staggered(items, { delay, duration }, act, seededRandom(7)) };
}

test('every item has its turn, in random order, and in each tenth of the time there are a tenth of them', () => {
  const { acts } = run(500, 2000, 5000);
  vi.advanceTimersByTime(10_000);
  const order = acts.map(({ item }) => item);
  expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
  expect(order.filter((item, i) => item === i).length).toBeLessThan(10);
  for (let tenth = 0; tenth < 10; tenth++) {
    const begin = 2000 + tenth * 500;
    const within = acts.filter(({ at }) => at >= begin && at < begin + 500);
    expect(within.length).toBeGreaterThanOrEqual(49);
    expect(within.length).toBeLessThanOrEqual(51);
  }
});

test('it has one timer at a time, and cancel stops it', () => {
  const { acts, cancel } = run(100, 0, 1000);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(500);
  expect(vi.getTimerCount()).toBe(1);
  cancel();
  const { length } = acts;
  expect(length).toBeGreaterThan(40);
  vi.advanceTimersByTime(5000);
  expect(acts).toHaveLength(length);
});

test('without time all have their turn at once; without items nothing happens', () => {
  const { acts } = run(100, 0, 0);
  vi.advanceTimersByTime(1);
  expect(acts).toHaveLength(100);
  run(0, 0, 1000);
  expect(vi.getTimerCount()).toBe(0);
});
