import { describe, expect, test } from 'vitest';
import { RetryThrottle } from './retry-throttle.js';

const times = (n: number, act: () => void): void => {
  for (let i = 0; i < n; i++) act();
};

/** Numbers of the example in gRFC A6. */
function throttleAfter(failures: number, successes = 0): RetryThrottle {
  const throttle = new RetryThrottle(10, 0.1);
  times(failures, () => throttle.failed());
  times(successes, () => throttle.succeeded());
  return throttle;
}

describe('the retry throttle of gRFC A6', () => {
  test('starts with all tokens, and closes at half of them', () => {
    expect(throttleAfter(0)).toMatchObject({ level: 1, open: true });
    expect(throttleAfter(4)).toMatchObject({ level: 0.6, open: true });
    expect(throttleAfter(5)).toMatchObject({ level: 0.5, open: false });
  });

  test('opens again once successes have brought it above half', () => {
    expect(throttleAfter(5, 1)).toMatchObject({ level: 0.51, open: true });
    expect(throttleAfter(6, 10)).toMatchObject({ level: 0.5, open: false });
    expect(throttleAfter(6, 11).open).toBe(true);
  });

  test('never holds less than nothing or more than all tokens', () => {
    expect(throttleAfter(30).level).toBe(0);
    expect(throttleAfter(30, 51)).toMatchObject({ level: 0.51, open: true });
    expect(throttleAfter(1, 30).level).toBe(1);
  });

  test('stays closed while a tenth of the calls fail', () => {
    const throttle = throttleAfter(10);
    times(1000, () => {
      times(9, () => throttle.succeeded());
      throttle.failed();
    });
    expect(throttle.open).toBe(false);
  });

  test('is exact, however many calls it has counted', () => {
    for (const ratio of [0.001, 0.005, 0.02, 0.1, 0.2, 0.4]) {
      const throttle = new RetryThrottle(1000, ratio);
      times(1000, () => throttle.failed());
      times(Math.round(500 / ratio), () => throttle.succeeded());
      expect(throttle).toMatchObject({ level: 0.5, open: false });
      throttle.succeeded();
      expect(throttle.open).toBe(true);
    }
  });

  test('takes over the share of the tokens of the one that it replaces', () => {
    const before = throttleAfter(5);
    const after = new RetryThrottle(4, 0.5, before);
    expect(after).toMatchObject({ level: 0.5, open: false });
    after.succeeded();
    expect(after.open).toBe(true);
  });
});
