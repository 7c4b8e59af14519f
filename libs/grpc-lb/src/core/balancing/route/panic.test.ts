import { expect, test } from 'vitest';
import { isPanic } from './panic.js';

test.each([
  // healthy, connected, threshold, panic
  [2, 5, 50, true],
  [3, 5, 50, false],
  [1, 2, 50, false],
  [0, 2, 50, true],
  [0, 1, 50, true],
  [5, 10, 50, false],
  [4, 10, 50, true],
  [99, 100, 100, true],
  [100, 100, 100, false],
  [0, 100, 1, true],
  [1, 100, 1, false],
])('%d healthy of %d at %d %%: %s', (healthy, connected, threshold, panic) => {
  expect(isPanic(healthy, connected, threshold)).toBe(panic);
});

test('a threshold of 0 turns it off', () => {
  for (let connected = 0; connected < 5; connected++) expect(isPanic(0, connected, 0)).toBe(false);
});

test('there is no panic without endpoints', () => {
  for (const threshold of [0, 50, 100]) expect(isPanic(0, 0, threshold)).toBe(false);
});
