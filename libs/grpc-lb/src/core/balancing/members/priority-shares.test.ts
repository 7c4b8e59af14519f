import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../../../../../test/properties/check.js';
import { capacityOf, priorityShares, prioritiesNeeded } from './priority-shares.js';

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
/** Realistic capacities: some endpoints of some total, with some factor. */
const capacity = fc
  .record({
    total: fc.integer({ min: 0, max: 20 }),
    ill: fc.integer({ min: 0, max: 20 }),
    factor: fc.constantFrom(1, 1.4, 2, 3),
  })
  .map(({ total, ill, factor }) => capacityOf({ total, healthy: Math.max(0, total - ill) }, factor));
const capacities = fc.array(capacity, { maxLength: 6 });

describe('the capacity of a group', () => {
  test.each([
    [0, 0, 2, 0],
    [2, 2, 2, 1],
    [2, 1, 2, 1],
    [3, 1, 2, 2 / 3],
    [4, 1, 2, 0.5],
    [4, 0, 2, 0],
    // Envoy's factor, and its example: with 72 % of the hosts healthy a level takes the full load.
    [100, 72, 1.4, 1],
    [100, 71, 1.4, 0.994],
    [2, 1, 1, 0.5],
  ])('of %i endpoints %i healthy, with a factor of %d: %d', (total, healthy, factor, expected) => {
    expect(capacityOf({ total, healthy }, factor)).toBeCloseTo(expected, 12);
  });
});

describe('the shares of the priorities', () => {
  // The table in Envoy's documentation of priority levels, as capacities.
  test.each([
    [
      [1, 1],
      [1, 0],
    ],
    [
      [0.72 * 1.4, 1],
      [1, 0],
    ],
    [
      [0.71 * 1.4, 1],
      [0.994, 0.006],
    ],
    [
      [0.5 * 1.4, 1],
      [0.7, 0.3],
    ],
    [
      [0.25 * 1.4, 1],
      [0.35, 0.65],
    ],
    [
      [0, 1],
      [0, 1],
    ],
    [
      [0.35, 0.35],
      [0.5, 0.5],
    ],
    [
      [0.2, 0.2],
      [0.5, 0.5],
    ],
    [
      [0.35, 0.14],
      [0.35 / 0.49, 0.14 / 0.49],
    ],
    [
      [0, 0],
      [0, 0],
    ],
    [
      [0.2, 0, 0.2, 1],
      [0.2, 0, 0.2, 0.6],
    ],
    [[], []],
  ])('%j: %j', (given, expected) => {
    const shares = priorityShares(given.map((each) => Math.min(1, each)));
    expect(shares).toHaveLength(expected.length);
    for (const [i, share] of shares.entries()) expect(share).toBeCloseTo(expected[i]!, 12);
  });

  test('add up to 1 or are all 0, are at most 1, and are 0 without capacity', () => {
    check(
      fc.property(capacities, (given) => {
        const shares = priorityShares(given);
        expect(shares).toHaveLength(given.length);
        const total = sum(shares);
        expect(total).toBeCloseTo(given.every((each) => each === 0) ? 0 : 1, 12);
        for (const [i, share] of shares.entries()) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
          expect(share > 0 && given[i] === 0).toBe(false);
          // No tiny shares from rounding errors, since each share puts a priority in use.
          expect(share > 0 && share < 1e-6).toBe(false);
        }
      }),
      2000,
    );
  });

  test('a priority gets less than its capacity only if better ones leave no more', () => {
    check(
      fc.property(capacities, (given) => {
        const shares = priorityShares(given);
        for (const [i, share] of shares.entries()) {
          const left = 1 - sum(given.slice(0, i));
          expect(share).toBeGreaterThanOrEqual(Math.min(given[i]!, Math.max(0, left)) - 1e-9);
        }
      }),
    );
  });

  test('one more healthy endpoint never lowers the share of its priority', () => {
    const group = fc.record({ total: fc.integer({ min: 1, max: 20 }), healthy: fc.integer({ min: 0, max: 19 }) });
    check(
      fc.property(fc.array(group, { minLength: 1, maxLength: 4 }), fc.nat(3), (groups, which) => {
        const i = which % groups.length;
        const better = groups.map((each, j) => (j === i ? { ...each, healthy: each.healthy + 1 } : each));
        const of = (all: typeof groups): number[] =>
          priorityShares(all.map(({ total, healthy }) => capacityOf({ total, healthy: Math.min(total, healthy) }, 2)));
        expect(of(better)[i]).toBeGreaterThanOrEqual(of(groups)[i]! - 1e-12);
      }),
    );
  });
});

describe('the number of priorities needed', () => {
  test.each([
    [[], 0],
    [[1], 1],
    [[0], 1],
    [[1, 1], 1],
    [[0.5, 1], 2],
    [[0.5, 0.5, 1], 2],
    [[0, 0, 0], 3],
    // These add up to 0.9999999999999999.
    [[0.1, 0.2, 0.7, 1], 3],
  ])('%j: %i', (given, expected) => {
    expect(prioritiesNeeded(given)).toBe(expected);
  });

  test('is that of the priorities with a share while their capacity suffices', () => {
    check(
      fc.property(capacities, (given) => {
        const needed = prioritiesNeeded(given);
        const shares = priorityShares(given);
        expect(sum(shares.slice(needed))).toBe(0);
        expect(sum(given) < 1 || shares[needed - 1]! > 0).toBe(true);
      }),
      2000,
    );
  });
});
