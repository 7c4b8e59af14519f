import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../../../../test/support/options/faults.js';
import { ejectionCheck } from './ejection-options.js';
import { healthCheck } from './health-options.js';
import { hedgeCheck } from './hedge-options.js';
import { localityCheck } from './locality-options.js';
import { deadlineCheck, retryCheck } from './retry-options.js';
import { slowStartCheck } from './slow-start-options.js';
import { streamCheck } from './stream-options.js';
import { subsetCheck } from './subset-options.js';
import { shown } from './validation.js';

const CHECKS = {
  health: healthCheck,
  ejection: ejectionCheck,
  slowStart: slowStartCheck,
  subset: subsetCheck,
  locality: localityCheck,
  retry: retryCheck,
  hedge: hedgeCheck,
  deadline: deadlineCheck,
  streams: streamCheck,
};

const HOUR = 3_600_000;
const DAY = 86_400_000;

/** The numbers of each aspect, with their ranges. */
const RANGES: [keyof typeof CHECKS, string, number, number, kind: 'a whole number' | 'a number', unit?: string][] = [
  ['health', 'panicThreshold', 0, 100, 'a whole number'],
  ['health', 'overprovisioningFactor', 1, 10, 'a number'],
  ['ejection', 'consecutiveFailures', 0, 1000, 'a whole number'],
  ['ejection', 'successRate', 0, 1, 'a number'],
  ['ejection', 'window', 1000, 600_000, 'a whole number', 'milliseconds'],
  ['ejection', 'minimumCalls', 1, 100_000, 'a whole number'],
  ['ejection', 'baseEjectionTime', 10, HOUR, 'a whole number', 'milliseconds'],
  ['ejection', 'maxEjectionTime', 10, DAY, 'a whole number', 'milliseconds'],
  ['ejection', 'maxEjectionPercent', 0, 100, 'a whole number'],
  ['slowStart', 'window', 100, HOUR, 'a whole number', 'milliseconds'],
  ['slowStart', 'aggression', 0.1, 10, 'a number'],
  ['slowStart', 'minShare', 0.01, 1, 'a number'],
  ['subset', 'size', 1, 1000, 'a whole number'],
  ['subset', 'clients', 1, 100_000, 'a whole number'],
  ['subset', 'index', 0, 99_999, 'a whole number'],
  ['locality', 'minCrossZoneShare', 0, 0.5, 'a number'],
  ['locality', 'spillRatio', 1.1, 10, 'a number'],
  ['retry', 'maxAttempts', 1, 5, 'a whole number'],
  ['retry', 'initialBackoff', 1, 60_000, 'a whole number', 'milliseconds'],
  ['retry', 'maxBackoff', 1, 600_000, 'a whole number', 'milliseconds'],
  ['retry', 'backoffMultiplier', 1, 10, 'a number'],
  ['retry', 'attemptTimeout', 1, DAY, 'a whole number', 'milliseconds'],
  ['hedge', 'maxAttempts', 1, 5, 'a whole number'],
  ['deadline', 'timeout', 1, DAY, 'a whole number', 'milliseconds'],
];

describe.each(RANGES)('%s.%s', (aspect, option, min, max, kind, unit) => {
  const check = CHECKS[aspect];

  test(`may be ${min} to ${max}, or absent`, () => {
    for (const value of [min, max, undefined]) expect(faultsOf(check, { [option]: value })).toEqual([]);
  });

  test.for<unknown>([min - 1, max + 1, NaN, Infinity, String(min), null, true, [min], {}])('may not be %o', (value) => {
    expect(faultsOf(check, { [option]: value })).toEqual([
      `at.${option} is ${shown(value)}; use ${kind} from ${min} to ${max}${unit ? ` (${unit})` : ''}`,
    ]);
  });

  test('must be a whole number unless fractions make sense', () => {
    expect(faultsOf(check, { [option]: max - 0.001 })).toHaveLength(kind === 'a number' ? 0 : 1);
  });
});

test.each(['health', 'ejection', 'slowStart', 'locality'] as const)(
  '%s is on or off, and nothing between',
  (aspect) => {
    const check = CHECKS[aspect];
    expect([true, false].flatMap((enabled) => faultsOf(check, { enabled }))).toEqual([]);
    expect(faultsOf(check, { enabled: 'no' })).toEqual(['at.enabled is "no"; use true or false']);
  },
);

test.each([
  ['health', 'enabled, service, metadata, panicThreshold, overprovisioningFactor'],
  [
    'ejection',
    'enabled, consecutiveFailures, successRate, window, minimumCalls, baseEjectionTime, maxEjectionTime, maxEjectionPercent, failureCodes',
  ],
  ['slowStart', 'enabled, window, aggression, minShare'],
  ['subset', 'size, algorithm, clients, index'],
  ['locality', 'enabled, zone, zoneFile, minCrossZoneShare, spillRatio, spillUtilization'],
  [
    'retry',
    'maxAttempts, retryableStatusCodes, initialBackoff, maxBackoff, backoffMultiplier, attemptTimeout, methods, throttling, budget',
  ],
  ['hedge', 'maxAttempts, delay, maxShare, nonFatalStatusCodes, methods'],
  ['streams', 'rebalance'],
  ['deadline', 'timeout, inherit, methods'],
] as const)('%s is an object of options that are known', (aspect, all) => {
  const check = CHECKS[aspect];
  for (const value of [null, true, 'x', [1]])
    expect(faultsOf(check, value)).toEqual([`at is ${shown(value)}; use an object with ${all}`]);
  expect(faultsOf(check, { xyzzy: 1 })).toEqual([`at.xyzzy is not an option; the options here are ${all}`]);
});
