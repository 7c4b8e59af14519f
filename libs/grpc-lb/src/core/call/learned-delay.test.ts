import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../../../../test/properties/check.js';
import { seededRandom } from '../random.js';
import { LearnedDelay } from './learned-delay.js';

/** The widest bucket. */
const STEP = 2 ** (1 / 8);

function learned(quantile: number, latencies: readonly number[], gap = 1): LearnedDelay {
  const delay = new LearnedDelay(quantile);
  latencies.forEach((latency, i) => delay.record(latency, i * gap));
  return delay;
}

describe('a learned delay', () => {
  test('is unknown until fifty calls have ended', () => {
    expect(learned(0.99, Array<number>(49).fill(5)).value).toBeUndefined();
    expect(learned(0.99, Array<number>(50).fill(5)).value).toBeGreaterThanOrEqual(5);
  });

  test('is the quantile, or less than a tenth above it', () => {
    const latencies = fc.array(fc.double({ min: 0.02, max: 1e6, noNaN: true }), { minLength: 50, maxLength: 300 });
    check(
      fc.property(latencies, fc.constantFrom(0.5, 0.95, 0.98, 0.99), (values, quantile) => {
        const sorted = Float64Array.from(values).toSorted();
        // The share of calls that may exceed the delay.
        const exact = sorted[sorted.length - 1 - Math.floor((1 - quantile) * sorted.length)]!;
        // All values count only if none came after the last update.
        const delay = new LearnedDelay(quantile);
        values.forEach((value, i) => delay.record(value, i));
        const { value } = delay;
        expect(value).toBeGreaterThanOrEqual(exact * 0.999_999);
        expect(value).toBeLessThanOrEqual(exact * STEP * 1.000_001);
      }),
    );
  });

  test('is exceeded by about the share of calls that its quantile says', () => {
    const random = seededRandom(1);
    const delay = new LearnedDelay(0.98);
    let [late, all] = [0, 0];
    for (let i = 0; i < 20_000; i++) {
      const latency = -20 * Math.log(1 - random());
      if (delay.value !== undefined) {
        all++;
        if (latency > delay.value) late++;
      }
      delay.record(latency, i);
    }
    // Buckets round up, and the tail is estimated from a few thousand calls.
    expect(late / all).toBeGreaterThan(0.008);
    expect(late / all).toBeLessThan(0.022);
  });

  test('follows a change within two windows of 2 s', () => {
    const delay = new LearnedDelay(0.95);
    for (let at = 0; at < 10_000; at++) delay.record(200, at);
    for (let at = 10_000; at < 14_002; at++) delay.record(10, at);
    expect(delay.value).toBeLessThan(10 * STEP);
  });

  test('of a client with few calls counts the last fifty at least', () => {
    const delay = new LearnedDelay(0.95);
    for (let i = 0; i < 200; i++) delay.record(i < 190 ? 10 : 100, i * 10_000);
    expect(delay.value).toBeGreaterThan(90);
  });

  test('bears any latency', () => {
    for (const latency of [0, -1, 1e-9, 1e12, Infinity]) {
      const { value } = learned(0.9, Array<number>(60).fill(latency));
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(2 ** 21);
    }
  });
});
