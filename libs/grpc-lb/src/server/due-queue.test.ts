import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Due, DueQueue } from './due-queue.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

function item(queue: DueQueue, delay: number): Due & { readonly at: number[] } {
  const at: number[] = [];
  const due = { bucket: undefined, at, due: () => void at.push(performance.now()) };
  queue.add(due, delay);
  return due;
}

test('an item is due once, at its time or a tenth of a second later', () => {
  const queue = new DueQueue();
  const start = performance.now();
  const items = [0, 1, 250, 1000, 60_000].map((delay) => ({ delay, ...item(queue, delay) }));
  vi.advanceTimersByTime(70_000);
  for (const { delay, at } of items) {
    expect(at).toHaveLength(1);
    const late = at[0]! - start - delay;
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThanOrEqual(200);
  }
});

test('a deleted item is not due, also if it is deleted in the turn in which it would be', () => {
  const queue = new DueQueue();
  const late = item(queue, 500);
  const other = item(queue, 500);
  queue.delete(late);
  queue.delete(late);
  const first = { bucket: undefined, due: () => queue.delete(other) };
  queue.delete(other);
  queue.add(first, 500);
  queue.add(other, 500);
  vi.advanceTimersByTime(2000);
  expect([late.at, other.at]).toEqual([[], []]);
});

test('an item may come back while it is due', () => {
  const queue = new DueQueue();
  let times = 0;
  const again: Due = {
    bucket: undefined,
    due: () => {
      if (++times < 3) queue.add(again, 0);
    },
  };
  queue.add(again, 0);
  vi.advanceTimersByTime(1000);
  expect(times).toBe(3);
});

test('the timer runs only while there are items, and a late turn catches up', () => {
  const queue = new DueQueue();
  expect(vi.getTimerCount()).toBe(0);
  const kept = item(queue, 300);
  queue.delete(item(queue, 3_000_000));
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(1000);
  expect(kept.at).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
  const later = item(queue, 100);
  vi.advanceTimersByTime(1000);
  expect(later.at).toHaveLength(1);
  item(queue, 100);
  queue.clear();
  expect(vi.getTimerCount()).toBe(0);
});
