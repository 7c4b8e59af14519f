import { describe, expect, test } from 'vitest';
import { effectiveEjection, ejectionCheck } from './ejection-options.js';
import { effectiveHealth, healthCheck } from './health-options.js';
import { effectiveHedgePolicy, HEDGE_QUANTILES, hedgeCheck, hedgePolicyOf } from './hedge-options.js';
import { effectiveLocality, localityCheck } from './locality-options.js';
import {
  deadlineCheck,
  effectiveBudget,
  effectiveRetryPolicy,
  effectiveThrottling,
  retryCheck,
  retryPolicyOf,
  timeoutOf,
} from './retry-options.js';
import { effectiveSlowStart, slowStartCheck } from './slow-start-options.js';
import { effectiveStreams, streamCheck } from './stream-options.js';
import { effectiveSubset, subsetCheck } from './subset-options.js';
import { FAILURE_STATUS_NAMES } from './status-names.js';
import type { Fault } from '../errors.js';
import { type Check, shown } from './validation.js';

function faultsOf(check: Check, value: unknown): string[] {
  const faults: Fault[] = [];
  check('at', value, faults);
  return faults.map(({ path, message }) => `${path} ${message}`);
}

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

describe('health', () => {
  test('by default is that of the whole server, and panic starts below half', () => {
    const defaults = { enabled: true, service: '', metadata: {}, panicThreshold: 50, overprovisioningFactor: 2 };
    for (const options of [undefined, {}, { enabled: undefined }])
      expect(effectiveHealth(options)).toStrictEqual(defaults);
    const metadata = { authorization: 'Bearer x' };
    const said = {
      enabled: false,
      service: 'orders.v1.Orders',
      metadata,
      panicThreshold: 0,
      overprovisioningFactor: 1,
    };
    expect(effectiveHealth(said)).toStrictEqual(said);
  });

  test('has a service that is a string, which may be empty', () => {
    expect(faultsOf(healthCheck, { service: '' })).toEqual([]);
    expect(faultsOf(healthCheck, { service: 1 })).toEqual([
      'at.service is 1; use a service name, as in "orders.v1.Orders"',
    ]);
  });
});

describe('the metadata of health', () => {
  test('has names and values', () => {
    const metadata = { authorization: 'Bearer secret', 'x-api-key': 'secret' };
    expect(faultsOf(healthCheck, { metadata })).toEqual([]);
  });

  test.each([
    'Authorization',
    'grpc-timeout',
    'token-bin',
    'te',
    'user-agent',
    'upgrade',
    'keep-alive',
    ':path',
    'a b',
    '',
  ])('cannot have the key %j', (key) => {
    const faults = faultsOf(healthCheck, { metadata: { [key]: 'secret' } });
    expect(faults).toEqual([expect.stringContaining('is not a valid metadata key')]);
  });

  test('is not shown in errors', () => {
    for (const metadata of [
      'secret',
      ['secret'],
      { a: 'sécret' },
      { a: 'secret\n' },
      { a: ['secret'] },
      { a: '' },
      { a: 1 },
    ])
      expect(faultsOf(healthCheck, { metadata }).join()).toMatch(/^at\.metadata(?!.*s.cret)/);
    expect(faultsOf(healthCheck, [{ metadata: { a: 'secret' } }]).join()).not.toContain('secret');
  });
});

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

test('slow start by default lasts 10 s, starts with 5 %, and grows as the square of the time', () => {
  const defaults = { enabled: true, window: 10_000, aggression: 0.5, minShare: 0.05 };
  expect(effectiveSlowStart()).toStrictEqual(defaults);
  expect(effectiveSlowStart({ enabled: false })).toStrictEqual({ ...defaults, enabled: false });
});

describe('subset', () => {
  test('is random by default, and undefined if it is not configured', () => {
    expect(effectiveSubset(undefined)).toBeUndefined();
    expect(effectiveSubset({ size: 20 })).toStrictEqual({ size: 20, algorithm: 'random' });
    const aperture = { size: 20, algorithm: 'deterministic_aperture', clients: 10, index: 9 } as const;
    expect(effectiveSubset(aperture)).toStrictEqual(aperture);
    expect(effectiveSubset({ ...aperture, algorithm: 'random' })).toStrictEqual({ size: 20, algorithm: 'random' });
  });

  test('needs a client index below the number of clients', () => {
    expect(faultsOf(subsetCheck, { clients: 10, index: 9 })).toEqual([]);
    expect(faultsOf(subsetCheck, { clients: 10, index: 10 })).toEqual([
      'at.index is 10, of 10 clients; clients are numbered from 0 to 9: raise clients to the highest number of replicas',
    ]);
  });

  test('needs a known algorithm', () => {
    expect(faultsOf(subsetCheck, { algorithm: 'deterministic' })).toEqual([
      'at.algorithm is "deterministic"; use one of random, deterministic_aperture; did you mean "deterministic_aperture"?',
    ]);
  });
});

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

describe('retry', () => {
  test('has the defaults that the options document', () => {
    const defaults = {
      maxAttempts: 3,
      retryableStatusCodes: ['UNAVAILABLE'],
      initialBackoff: 50,
      maxBackoff: 1000,
      backoffMultiplier: 2,
      attemptTimeout: undefined,
    };
    expect(effectiveRetryPolicy({})).toStrictEqual(defaults);
    expect(effectiveRetryPolicy({ maxAttempts: 1 })).toStrictEqual({ ...defaults, maxAttempts: 1 });
  });

  test('of single methods accepts the same options, or false', () => {
    const methods = { Find: false, Place: { maxAttempts: 2, retryableStatusCodes: ['ABORTED'] } };
    expect(faultsOf(retryCheck, { methods })).toEqual([]);
    expect(faultsOf(retryCheck, { methods: { Find: true, Place: { maxAttempts: 9, methods: {} } } })).toEqual([
      expect.stringMatching(/^at\.methods\.Find is true; use an object with maxAttempts, /),
      'at.methods.Place.maxAttempts is 9; use a whole number from 1 to 5',
      expect.stringMatching(/^at\.methods\.Place\.methods is not an option/),
    ]);
    expect(faultsOf(retryCheck, { methods: ['Find'] })).toEqual(['at.methods is ["Find"]; use an object']);
  });

  test('is throttled within the range of gRFC A6, or not at all', () => {
    for (const throttling of [false, {}, { maxTokens: 1, tokenRatio: 0.001 }, { maxTokens: 1000 }])
      expect(faultsOf(retryCheck, { throttling })).toEqual([]);
    expect(faultsOf(retryCheck, { throttling: { maxTokens: 0, tokenRatio: 0 } })).toEqual([
      'at.throttling.maxTokens is 0; use a whole number from 1 to 1000',
      'at.throttling.tokenRatio is 0; use a number from 0.001 to 1000',
    ]);
    expect(faultsOf(retryCheck, { throttling: true })).toEqual([
      'at.throttling is true; use an object with maxTokens, tokenRatio',
    ]);
  });

  test('has a budget of a share of the calls and a few per second, or none', () => {
    for (const budget of [false, {}, { ratio: 0, minPerSecond: 0 }, { ratio: 1, minPerSecond: 1000 }])
      expect(faultsOf(retryCheck, { budget })).toEqual([]);
    expect(faultsOf(retryCheck, { budget: { ratio: 20, minPerSecond: -1 } })).toEqual([
      'at.budget.ratio is 20; use a number from 0 to 1',
      'at.budget.minPerSecond is -1; use a number from 0 to 1000',
    ]);
    expect(faultsOf(retryCheck, { budget: 0.2 })).toEqual(['at.budget is 0.2; use an object with ratio, minPerSecond']);
  });

  test('is throttled and has a budget unless they are turned off', () => {
    expect(effectiveThrottling()).toStrictEqual({ maxTokens: 100, tokenRatio: 0.1 });
    expect(effectiveThrottling({ throttling: { tokenRatio: 1 } })).toStrictEqual({ maxTokens: 100, tokenRatio: 1 });
    expect(effectiveThrottling({ throttling: false })).toBeUndefined();
    expect(effectiveBudget()).toStrictEqual({ ratio: 0.2, minPerSecond: 10 });
    expect(effectiveBudget({ budget: { minPerSecond: 0 } })).toStrictEqual({ ratio: 0.2, minPerSecond: 0 });
    expect(effectiveBudget({ budget: false })).toBeUndefined();
  });

  test('of a method completes the common options, and undefined counts as absent', () => {
    const options = {
      maxAttempts: 5,
      attemptTimeout: 100,
      methods: { Find: { maxAttempts: undefined }, Place: false },
    } as const;
    expect(retryPolicyOf(options, 'Find')).toMatchObject({ maxAttempts: 5, attemptTimeout: 100 });
    expect(retryPolicyOf(options, 'Place')).toBeUndefined();
    // A method may be called like a member of every object.
    expect(retryPolicyOf(options, 'constructor')).toStrictEqual(retryPolicyOf(options, 'Find'));
    expect(retryPolicyOf(undefined, 'Find')).toBeUndefined();
  });
});

describe('hedge', () => {
  test('has the defaults that the options document', () => {
    const defaults = { maxAttempts: 2, delay: 'p95', maxShare: 0.03, nonFatalStatusCodes: ['UNAVAILABLE'] };
    expect(effectiveHedgePolicy({})).toStrictEqual(defaults);
    expect(effectiveHedgePolicy({ delay: 0, nonFatalStatusCodes: [] })).toStrictEqual({
      ...defaults,
      delay: 0,
      maxShare: 1,
      nonFatalStatusCodes: [],
    });
  });

  test('has a delay in milliseconds, or a quantile by its name', () => {
    for (const delay of [0, 60_000, undefined, ...Object.keys(HEDGE_QUANTILES)])
      expect(faultsOf(hedgeCheck, { delay })).toEqual([]);
    for (const [name, quantile] of Object.entries(HEDGE_QUANTILES))
      expect(Number(name.slice(1)) / 100).toBeCloseTo(quantile, 9);
  });

  test.for<unknown>([-1, 60_001, 0.5, NaN, 'p97', '50', 'toString', null, true])('has no delay of %j', (delay) => {
    expect(faultsOf(hedgeCheck, { delay })).toEqual([
      `at.delay is ${shown(delay)}; use a whole number from 0 to 60000 (milliseconds), or one of p50, p75, p90, p95, p98, p99, p99.9`,
    ]);
  });

  test('of single methods accepts the same options, or true, or false', () => {
    const methods = {
      Find: true,
      Place: false,
      Search: { maxAttempts: 3, delay: 'p95', nonFatalStatusCodes: ['ABORTED'] },
    };
    expect(faultsOf(hedgeCheck, { methods })).toEqual([]);
    expect(faultsOf(hedgeCheck, { methods: { Find: 'p95', Place: { maxAttempts: 6, methods: {} } } })).toEqual([
      'at.methods.Find is "p95"; use an object with maxAttempts, delay, maxShare, nonFatalStatusCodes',
      'at.methods.Place.maxAttempts is 6; use a whole number from 1 to 5',
      expect.stringMatching(/^at\.methods\.Place\.methods is not an option/),
    ]);
    expect(faultsOf(hedgeCheck, { maxShare: 0 })).toEqual(['at.maxShare is 0; use a number from 0.001 to 1']);
    expect(faultsOf(hedgeCheck, { nonFatalStatusCodes: ['OK'] })).toEqual([
      expect.stringContaining('at.nonFatalStatusCodes[0] is "OK"'),
    ]);
  });

  test('applies to methods that are named or idempotent', () => {
    const options = { delay: 5, methods: { Find: false, Place: true, Search: { delay: 9 } } } as const;
    for (const idempotent of [false, true]) {
      expect(hedgePolicyOf(options, 'Find', idempotent)).toBeUndefined();
      expect(hedgePolicyOf(options, 'Place', idempotent)).toMatchObject({ delay: 5 });
      expect(hedgePolicyOf(options, 'Search', idempotent)).toMatchObject({ delay: 9, maxAttempts: 2 });
      expect(hedgePolicyOf(undefined, 'Find', idempotent)).toBeUndefined();
    }
    for (const other of ['Other', 'constructor']) {
      expect(hedgePolicyOf(options, other, true)).toMatchObject({ delay: 5 });
      expect(hedgePolicyOf(options, other, false)).toBeUndefined();
    }
  });

  test('with one attempt does not apply, unless the method has more', () => {
    const options = { maxAttempts: 1, methods: { Find: true, Place: { maxAttempts: 2 } } };
    expect(hedgePolicyOf(options, 'Find', true)).toBeUndefined();
    expect(hedgePolicyOf(options, 'Place', false)).toMatchObject({ maxAttempts: 2 });
  });
});

describe('deadline', () => {
  test.each([
    ['2s', 2000],
    ['1.5 s', 1500],
    ['500ms', 500],
    ['1m', 60_000],
    ['250', 250],
  ])('as the string %s gets a suggestion in milliseconds', (text, timeout) => {
    expect(faultsOf(deadlineCheck, text)).toEqual([`at is "${text}"; use { timeout: ${timeout} }, in milliseconds`]);
  });

  test('as a bare number gets a suggestion with the right form', () => {
    expect(faultsOf(deadlineCheck, 1000)).toEqual(['at is 1000; use { timeout: 1000 }, in milliseconds']);
  });

  test('of a method overrides the common one, which does not apply to response streams', () => {
    const options = { timeout: 1000, methods: { Find: 1, Watch: 2 } };
    expect(timeoutOf(options, 'Find', false)).toBe(1);
    expect(timeoutOf(options, 'Place', false)).toBe(1000);
    expect(timeoutOf(options, 'constructor', false)).toBe(1000);
    expect(timeoutOf(options, 'Watch', true)).toBe(2);
    expect(timeoutOf(options, 'Other', true)).toBeUndefined();
    expect(timeoutOf(undefined, 'Find', false)).toBeUndefined();
  });

  test('of single methods is a number', () => {
    expect(faultsOf(deadlineCheck, { inherit: false, methods: { Find: 100, Place: { inherit: true } } })).toEqual([]);
    expect(faultsOf(deadlineCheck, { methods: { Find: { timeout: 0, inherit: 1 } } })).toHaveLength(2);
    expect(faultsOf(deadlineCheck, { methods: { Find: '1s', Place: 0 } })).toEqual([
      'at.methods.Find is "1s"; use a whole number from 1 to 86400000 (milliseconds)',
      'at.methods.Place is 0; use a whole number from 1 to 86400000 (milliseconds)',
    ]);
  });
});
