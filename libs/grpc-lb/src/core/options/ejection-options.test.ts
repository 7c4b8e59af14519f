import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../../../../test/support/options/faults.js';
import { effectiveEjection, ejectionCheck } from './ejection-options.js';
import { FAILURE_STATUS_NAMES } from './status-names.js';
import { shown } from './validation.js';

const HOUR = 3_600_000;

describe('ejection', () => {
  test('has the defaults that the options document', () => {
    const defaults = {
      enabled: true,
      consecutiveFailures: 5,
      successRate: 0.8,
      window: 30_000,
      minimumCalls: 5,
      baseEjectionTime: 5000,
      maxEjectionTime: 300_000,
      maxEjectionPercent: 50,
      failureCodes: ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'INTERNAL', 'UNKNOWN', 'RESOURCE_EXHAUSTED', 'DATA_LOSS'],
    };
    expect(effectiveEjection()).toStrictEqual(defaults);
    expect(
      effectiveEjection({ consecutiveFailures: 0, successRate: 0, maxEjectionPercent: 0, failureCodes: [] }),
    ).toMatchObject({
      consecutiveFailures: 0,
      successRate: 0,
      maxEjectionPercent: 0,
      failureCodes: [],
    });
  });

  test('treats every status except OK and CANCELLED as a failure', () => {
    expect(faultsOf(ejectionCheck, { failureCodes: [...FAILURE_STATUS_NAMES] })).toEqual([]);
    expect(FAILURE_STATUS_NAMES).toHaveLength(15);
    for (const name of ['OK', 'CANCELLED', 14, null]) {
      expect(faultsOf(ejectionCheck, { failureCodes: ['UNKNOWN', name] })).toEqual([
        expect.stringContaining(`at.failureCodes[1] is ${shown(name)}; use one of UNKNOWN, `),
      ]);
    }
    expect(faultsOf(ejectionCheck, { failureCodes: ['UNAVAILBLE'] })).toEqual([
      expect.stringContaining('did you mean "UNAVAILABLE"?'),
    ]);
    expect(faultsOf(ejectionCheck, { failureCodes: 'UNAVAILABLE' })).toEqual([
      'at.failureCodes is "UNAVAILABLE"; use an array of status names, as in ["UNAVAILABLE"]',
    ]);
  });

  test('has a maximum time of at least the base time', () => {
    expect(faultsOf(ejectionCheck, { baseEjectionTime: 1000, maxEjectionTime: 1000 })).toEqual([]);
    expect(faultsOf(ejectionCheck, { baseEjectionTime: 1000, maxEjectionTime: 999 })).toEqual([
      'at.maxEjectionTime is 999, less than baseEjectionTime 1000; use 1000 or more, or remove this option',
    ]);
    // Alone each is in order: the other takes a default that fits.
    expect(faultsOf(ejectionCheck, { baseEjectionTime: HOUR })).toEqual([]);
    expect(effectiveEjection({ baseEjectionTime: HOUR }).maxEjectionTime).toBe(HOUR);
    expect(effectiveEjection({ maxEjectionTime: 100 })).toMatchObject({ baseEjectionTime: 100, maxEjectionTime: 100 });
  });
});
