import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../../../../test/support/options/faults.js';
import { effectiveLocality, localityCheck } from './locality-options.js';
import { shown } from './validation.js';

describe('locality', () => {
  test('has the defaults that the options document', () => {
    const defaults = {
      enabled: true,
      zone: undefined,
      zoneFile: undefined,
      minCrossZoneShare: 0.01,
      spillRatio: 1.5,
      spillUtilization: false,
    };
    expect(effectiveLocality()).toStrictEqual(defaults);
    expect(effectiveLocality({ enabled: false, minCrossZoneShare: 0, zone: 'a' })).toStrictEqual({
      ...defaults,
      enabled: false,
      minCrossZoneShare: 0,
      zone: 'a',
    });
  });

  test.for<unknown>([0, 0.001, 1.01, true, '0.1', null])('a difference in utilization is no %j', (spillUtilization) => {
    expect(faultsOf(localityCheck, { spillUtilization })).toEqual([
      `at.spillUtilization is ${shown(spillUtilization)}; use a number from 0.01 to 1, or false`,
    ]);
    expect(faultsOf(localityCheck, { spillUtilization: false })).toEqual([]);
  });

  test.for<unknown>(['', ' ', 1, null])('a zone is no %j', (zone) => {
    expect(faultsOf(localityCheck, { zone })).toEqual([
      `at.zone is ${shown(zone)}; use a non-empty string, as in "eu-central-1a"`,
    ]);
  });
});
