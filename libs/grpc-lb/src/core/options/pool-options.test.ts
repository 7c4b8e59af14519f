import { describe, expect, test } from 'vitest';
import { effectivePool, poolCheck } from './pool-options.js';
import type { Fault } from '../errors.js';
import { shown } from './validation.js';

function faultsOf(value: unknown): string[] {
  const faults: Fault[] = [];
  poolCheck('pool', value, faults);
  return faults.map(({ path, message }) => `${path} ${message}`);
}

const DAY = 86_400_000;
const RANGES = [
  ['size', 1, 100, ''],
  ['maxSize', 1, 100, ''],
  ['maxConcurrentStreams', 1, 1_000_000, ''],
  ['maxPending', 0, 1_000_000, ''],
  ['maxConnectionAge', 1000, DAY, ' (milliseconds)'],
  ['idleTimeout', 1000, DAY, ' (milliseconds)'],
  ['connectTimeout', 10, 600_000, ' (milliseconds)'],
  ['pingAfter', 0, 600_000, ' (milliseconds)'],
  ['suspectAfter', 50, 600_000, ' (milliseconds)'],
  ['pingTimeout', 50, 600_000, ' (milliseconds)'],
] as const;

describe.each(RANGES)('pool.%s', (option, min, max, unit) => {
  test(`may be ${min} to ${max}, or absent`, () => {
    // Sets the options that must not be less along with it.
    const beside = option === 'suspectAfter' ? { pingTimeout: max } : {};
    for (const value of [min, min + 1, max, undefined]) {
      expect(faultsOf({ ...beside, [option]: value })).toEqual([]);
    }
  });

  test.for<unknown>([min - 1, max + 1, -max, min + 0.5, NaN, Infinity, String(min), null, true, [min], {}, () => min])(
    'may not be %o',
    (value) => {
      expect(faultsOf({ [option]: value })).toContain(
        `pool.${option} is ${shown(value)}; use a whole number from ${min} to ${max}${unit}`,
      );
    },
  );
});

describe('the pool', () => {
  test.for<unknown>([null, 2, 'size', [2]])('%j is no pool', (value) => {
    expect(faultsOf(value)).toEqual([
      `pool is ${shown(value)}; use an object with ${RANGES.map(([option]) => option).join(', ')}`,
    ]);
  });

  test('maxSize must be at least size', () => {
    expect(faultsOf({ size: 4, maxSize: 4 })).toEqual([]);
    expect(faultsOf({ size: 8, maxSize: 4 })).toEqual([
      'pool.maxSize is 4, less than size 8; use 8 or more, or remove this option',
    ]);
    // Alone each is in order: the other takes a default that fits.
    expect(faultsOf({ size: 8 })).toEqual([]);
    expect(faultsOf({ maxSize: 1 })).toEqual([]);
  });

  test('suspectAfter must be at most pingTimeout', () => {
    expect(faultsOf({ suspectAfter: 50, pingTimeout: 50 })).toEqual([]);
    expect(faultsOf({ suspectAfter: 200, pingTimeout: 100 })).toEqual([
      'pool.suspectAfter is 200, more than pingTimeout 100; use 100 or less, or remove this option',
    ]);
    expect(faultsOf({ suspectAfter: 20_001 })).toEqual([
      'pool.suspectAfter is 20001, more than pingTimeout 20000; use 20000 or less, or remove this option',
    ]);
    expect(faultsOf({ pingTimeout: 100 })).toEqual([]);
    expect(effectivePool({ pingTimeout: 100 }).suspectAfter).toBe(100);
  });

  test('an unknown option is reported with all other faults', () => {
    expect(faultsOf({ maxsize: 2, size: 0, connectTimeout: 5 })).toEqual([
      'pool.maxsize is not an option; did you mean "maxSize"?',
      'pool.size is 0; use a whole number from 1 to 100',
      'pool.connectTimeout is 5; use a whole number from 10 to 600000 (milliseconds)',
    ]);
  });
});

describe('effectivePool', () => {
  const defaults = {
    size: 1,
    maxSize: 4,
    maxConcurrentStreams: undefined,
    maxPending: 1000,
    maxConnectionAge: undefined,
    idleTimeout: 60_000,
    connectTimeout: 5000,
    pingAfter: 1000,
    suspectAfter: 1000,
    pingTimeout: 20_000,
  };

  test('has the defaults that the options document', () => {
    expect(effectivePool()).toStrictEqual(defaults);
    expect(effectivePool({})).toStrictEqual(defaults);
    expect(effectivePool({ size: undefined, maxSize: undefined, maxPending: undefined })).toStrictEqual(defaults);
  });

  test('keeps given values, including zero', () => {
    const said = {
      size: 2,
      maxSize: 3,
      maxConcurrentStreams: 4,
      maxPending: 0,
      maxConnectionAge: 5000,
      idleTimeout: 6000,
      connectTimeout: 7000,
      pingAfter: 0,
      suspectAfter: 50,
      pingTimeout: 50,
    };
    expect(effectivePool(said)).toStrictEqual(said);
  });

  test.each([
    [1, 4],
    [4, 4],
    [5, 5],
    [8, 8],
    [100, 100],
  ])('size %d grows to %d', (size, maxSize) => {
    expect(effectivePool({ size }).maxSize).toBe(maxSize);
  });
});
