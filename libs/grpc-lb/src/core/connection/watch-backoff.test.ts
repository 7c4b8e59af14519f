import { expect, test } from 'vitest';
import { seededRandom } from '../random.js';
import { WatchBackoff } from './watch-backoff.js';

test('grows to 30 s, and is reset by a watch that was answered and lived ten seconds', () => {
  const backoff = new WatchBackoff(() => 0.5);
  const waits = Array.from({ length: 9 }, () => Math.round(backoff.next(false)));
  expect(waits).toEqual([1000, 1600, 2560, 4096, 6554, 10_486, 16_777, 26_844, 30_000]);
  expect(backoff.isSteady(true, 9999)).toBe(false);
  expect(backoff.isSteady(false, 60_000)).toBe(false);
  expect(backoff.isSteady(true, 10_000)).toBe(true);
  expect([backoff.next(true), backoff.next(false)]).toEqual([1000, 1600]);
});

test('has jitter of 20 %', () => {
  const random = seededRandom(1);
  const waits = Array.from({ length: 1000 }, () => new WatchBackoff(random).next(false));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(800);
  expect(Math.max(...waits)).toBeLessThanOrEqual(1200);
  expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(350);
});
