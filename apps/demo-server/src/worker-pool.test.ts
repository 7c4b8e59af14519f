import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WorkerPool } from './worker-pool.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const stays = (): AbortSignal => new AbortController().signal;

/** Starts pieces of work of 10 ms, and records when each has ended and whether it was done. */
function start(pool: WorkerPool, names: string, gone: (name: string) => AbortSignal = stays): string[] {
  const ended: string[] = [];
  for (const name of names) {
    void pool.run(() => 10, gone(name)).then((done) => ended.push(done ? name : `${name} left`));
  }
  return ended;
}

test('runs a limited number at a time, and the rest first come, first served', async () => {
  const pool = new WorkerPool(2);
  const ended = start(pool, 'abcde');
  expect([pool.inFlight, pool.queued]).toEqual([5, 3]);
  await vi.advanceTimersByTimeAsync(10);
  expect(ended).toEqual(['a', 'b']);
  await vi.advanceTimersByTimeAsync(10);
  expect(ended).toEqual(['a', 'b', 'c', 'd']);
  await vi.advanceTimersByTimeAsync(10);
  expect(ended).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect([pool.inFlight, pool.queued]).toEqual([0, 0]);
});

test('a caller that leaves the queue lets the others move up', async () => {
  const pool = new WorkerPool(1);
  const leaver = new AbortController();
  const ended = start(pool, 'abc', (name) => (name === 'b' ? leaver.signal : stays()));
  leaver.abort();
  await vi.advanceTimersByTimeAsync(20);
  expect(ended).toEqual(['b left', 'a', 'c']);
});

test('a caller that leaves during its work frees its slot at once', async () => {
  const pool = new WorkerPool(1);
  const leaver = new AbortController();
  const ended = start(pool, 'ab', (name) => (name === 'a' ? leaver.signal : stays()));
  await vi.advanceTimersByTimeAsync(5);
  leaver.abort();
  await vi.advanceTimersByTimeAsync(10);
  expect(ended).toEqual(['a left', 'b']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a caller that has left before it came costs nothing', async () => {
  const pool = new WorkerPool(1);
  expect(await pool.run(() => 10, AbortSignal.abort())).toBe(false);
  expect(pool.inFlight).toBe(0);
});

test('the duration is determined when the work begins', async () => {
  const pool = new WorkerPool(1);
  let durationMs = 10;
  const ended: number[] = [];
  for (const name of [1, 2]) void pool.run(() => durationMs, stays()).then(() => ended.push(name));
  durationMs = 1000;
  await vi.advanceTimersByTimeAsync(1009);
  expect(ended).toEqual([1]);
  await vi.advanceTimersByTimeAsync(1);
  expect(ended).toEqual([1, 2]);
});
