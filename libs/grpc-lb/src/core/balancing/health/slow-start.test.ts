import { describe, expect, test } from 'vitest';
import { effectiveSlowStart } from '../../options/slow-start-options.js';
import { warmth } from './slow-start.js';

const defaults = effectiveSlowStart();

describe('warmth', () => {
  test('is the square of the time at the defaults: (t / window) ^ (1 / 0.5), and 5 % at least', () => {
    const at = [0, 1000, 2000, 3000, 5000, 8000, 9999.9];
    const expected = [0.05, 0.05, 0.05, 0.09, 0.25, 0.64, 0.99998];
    at.forEach((age, i) => expect(warmth(age, defaults)).toBeCloseTo(expected[i]!, 5));
  });

  test.each([
    [0.5, 0.25],
    [1, 0.5],
    [2, Math.SQRT1_2],
  ])('halfway with an aggression of %d is %d', (aggression, share) => {
    expect(warmth(500, { ...defaults, window: 1000, aggression, minShare: 0.01 })).toBeCloseTo(share, 12);
  });

  test('is 1 from the end of the window on, and when slow start is off', () => {
    for (const age of [10_000, 10_001, 1e12]) expect(warmth(age, defaults)).toBe(1);
    for (const age of [0, 1, 9999]) expect(warmth(age, { ...defaults, enabled: false })).toBe(1);
  });

  test('is that of a shorter window where one is given', () => {
    expect(warmth(500, defaults, 1000)).toBe(0.25);
    expect(warmth(1000, defaults, 1000)).toBe(1);
    expect(warmth(5000, defaults, 60_000)).toBe(0.25);
  });

  test('is the least share at a negative age, as after a step of the clock', () => {
    expect(warmth(-5, defaults)).toBe(0.05);
  });

  test('never falls, and stays between the least share and 1', () => {
    for (const aggression of [0.1, 0.5, 1, 3, 10]) {
      const options = { ...defaults, aggression, minShare: 0.2 };
      let before = 0;
      for (let age = 0; age <= 12_000; age += 50) {
        const now = warmth(age, options);
        expect(now).toBeGreaterThanOrEqual(Math.max(before, 0.2));
        expect(now).toBeLessThanOrEqual(1);
        before = now;
      }
    }
  });
});
