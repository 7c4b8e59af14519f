import { array, assert, constantFrom, property } from 'fast-check';
import { expect, test } from 'vitest';
import { BucketSeries } from './bucket-series.js';

test('each value is in the first bucket whose bound is not below it, as in OpenTelemetry and Prometheus', () => {
  const bounds = [0, 1, 2.5, 10];
  assert(
    property(array(constantFrom(0, 0.5, 1, 2, 2.5, 3, 10, 11, 1e9)), (values) => {
      const series = new BucketSeries('', {}, bounds);
      for (const value of values) series.record(value);
      const expected = Array.from({ length: bounds.length + 1 }, (_, i) => {
        const [above, upTo] = [bounds[i - 1] ?? -Infinity, bounds[i] ?? Infinity];
        return values.filter((value) => value > above && value <= upTo).length;
      });
      expect([...series.counts]).toEqual(expected);
      expect(series.sum).toBeCloseTo(values.reduce<number>((sum, value) => sum + value, 0));
    }),
  );
});
