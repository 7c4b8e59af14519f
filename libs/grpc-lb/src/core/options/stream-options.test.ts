import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../../../../test/support/options/faults.js';
import { effectiveStreams, streamCheck } from './stream-options.js';

const HOUR = 3_600_000;

describe('streams', () => {
  test('are evened out every 10 s by more than a tenth, or not at all', () => {
    const defaults = { rebalance: { interval: 10_000, streamsPerMove: 30, threshold: 0.1 } };
    for (const options of [undefined, {}, { rebalance: true }, { rebalance: {} }])
      expect(effectiveStreams(options)).toStrictEqual(defaults);
    expect(effectiveStreams({ rebalance: { threshold: 0 } })).toStrictEqual({
      rebalance: { interval: 10_000, streamsPerMove: 30, threshold: 0 },
    });
    expect(effectiveStreams({ rebalance: false })).toStrictEqual({ rebalance: false });
  });

  test('have an interval and a threshold in their ranges', () => {
    for (const rebalance of [true, false, { interval: 100, threshold: 0 }, { interval: HOUR, threshold: 10 }])
      expect(faultsOf(streamCheck, { rebalance })).toEqual([]);
    expect(faultsOf(streamCheck, { rebalance: { interval: 99, threshold: 11 } })).toEqual([
      'at.rebalance.interval is 99; use a whole number from 100 to 3600000 (milliseconds)',
      'at.rebalance.threshold is 11; use a number from 0 to 10',
    ]);
    expect(faultsOf(streamCheck, { rebalance: 10_000 })).toEqual([
      'at.rebalance is 10000; use true, false, or an object with interval, streamsPerMove, threshold',
    ]);
  });
});
