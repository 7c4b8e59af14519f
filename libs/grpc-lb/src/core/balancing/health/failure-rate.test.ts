import { describe, expect, test } from 'vitest';
import { FailureRate, UNDECIDED_FACTOR } from './failure-rate.js';

function after(failures: number): FailureRate {
  const rate = new FailureRate();
  for (let i = 0; i < failures; i++) rate.record(true, 0);
  return rate;
}

describe('the rate', () => {
  test('of an endpoint without history is zero', () => {
    expect(new FailureRate().rate(1e9)).toBe(0);
    expect(new FailureRate().factor(1e9)).toBe(1);
  });

  test.each([1, 2, 3, 5, 10, 100])('after %d simultaneous failures is 1 − 0.8^n', (failures) => {
    expect(after(failures).rate(0)).toBeCloseTo(1 - 0.8 ** failures, 12);
  });

  test('falls by a fifth with each success, and to 1/e in 5 s without calls', () => {
    const rate = after(3);
    const before = rate.rate(0);
    expect(rate.rate(5000)).toBeCloseTo(before / Math.E, 12);
    rate.record(false, 0);
    expect(rate.rate(0)).toBeCloseTo(before * 0.8, 12);
  });

  test('falls to 1/e in half a second while an outage of all is ending', () => {
    const rate = after(3);
    const before = rate.rate(0);
    expect(rate.rate(500, true)).toBeCloseTo(before / Math.E, 12);
    rate.record(true, 500, true);
    expect(rate.rate(500)).toBeCloseTo((before / Math.E) * 0.8 + 0.2, 12);
  });

  test('does not change when it is read', () => {
    const [read, left] = [after(4), after(4)];
    for (let now = 0; now < 20_000; now += 7) {
      read.rate(now);
      read.factor(now);
    }
    expect(read.rate(20_000)).toBe(left.rate(20_000));
    read.record(true, 30_000);
    left.record(true, 30_000);
    expect(read.rate(30_000)).toBe(left.rate(30_000));
  });
});

describe('the factor', () => {
  test.each([
    [1, 1 / 0.8 ** 2],
    [2, 1 / 0.8 ** 4],
    [5, 1 / 0.8 ** 10],
    // One success in fifty must be visible: the maximum is 1 / 0.02².
    [17, 1 / 0.8 ** 34],
    [18, 2500],
    [1000, 2500],
  ])('after %d simultaneous failures is %d', (failures, factor) => {
    expect(after(failures).factor(0)).toBeCloseTo(factor, 9);
  });

  test('exceeds the bound for undecided ejections from the second failure on', () => {
    expect(after(1).factor(0)).toBeLessThan(UNDECIDED_FACTOR);
    expect(after(2).factor(0)).toBeGreaterThan(UNDECIDED_FACTOR);
  });

  test('is 1 for a negligible rate, 5 s · ln 10 after a single failure', () => {
    const rate = after(1);
    const negligible = 5000 * Math.log(0.2 / 0.02);
    expect(rate.factor(negligible - 1)).toBeGreaterThan(1);
    expect(rate.factor(negligible + 1)).toBe(1);
  });
});
