import { describe, expect, test } from 'vitest';
import { SuccessWindow } from './success-window.js';

const WINDOW = 1000;

describe('a window', () => {
  test('without calls has a perfect success rate', () => {
    expect(new SuccessWindow().read(5000, WINDOW)).toEqual({ calls: 0, rate: 1 });
  });

  test('covers results younger than nine tenths of its length, and none older than its length', () => {
    const window = new SuccessWindow();
    window.record(true, 50, WINDOW);
    for (const now of [50, 500, 949]) expect(window.read(now, WINDOW)).toEqual({ calls: 1, rate: 0 });
    for (const now of [1051, 2000, 1e9]) expect(window.read(now, WINDOW)).toEqual({ calls: 0, rate: 1 });
  });

  test('slides: new results replace expired ones', () => {
    const window = new SuccessWindow();
    for (let now = 0; now < 1000; now += 100) window.record(true, now, WINDOW);
    for (let now = 1000; now < 1500; now += 100) window.record(false, now, WINDOW);
    expect(window.read(1400, WINDOW)).toEqual({ calls: 10, rate: 0.5 });
  });

  test('starts with an empty slice after a long silence, even where a slice had old counts', () => {
    const window = new SuccessWindow();
    for (let now = 0; now < 1000; now += 100) window.record(true, now, WINDOW);
    window.record(false, 12_345, WINDOW);
    expect(window.read(12_345, WINDOW)).toEqual({ calls: 1, rate: 1 });
  });

  test('that is cleared is empty', () => {
    const window = new SuccessWindow();
    window.record(true, 0, WINDOW);
    window.clear();
    expect(window.read(0, WINDOW)).toEqual({ calls: 0, rate: 1 });
    window.record(false, 0, WINDOW);
    expect(window.read(0, WINDOW)).toEqual({ calls: 1, rate: 1 });
  });

  test.each([
    ['longer', 60_000],
    ['shorter', 100],
  ])('that is made %s starts over, and slides at its new pace', (_, other) => {
    const window = new SuccessWindow();
    const now = 1e6;
    for (let i = 0; i < 7; i++) window.record(true, now, WINDOW);
    expect(window.read(now, other)).toEqual({ calls: 0, rate: 1 });
    window.record(false, now, other);
    expect(window.read(now, other)).toEqual({ calls: 1, rate: 1 });
    window.record(true, now + other / 2, other);
    expect(window.read(now + other / 2, other)).toEqual({ calls: 2, rate: 0.5 });
    expect(window.read(now + 1.2 * other, other)).toEqual({ calls: 1, rate: 0 });
    expect(window.read(now + 3 * other, other)).toEqual({ calls: 0, rate: 1 });
  });
});
