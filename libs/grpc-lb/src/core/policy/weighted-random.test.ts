import { describe, expect, test } from 'vitest';
import { hosts, scripted } from '../../../../../test/properties/hosts.js';
import { expectShares, expectUniform, tally } from '../../../../../test/properties/statistics.js';
import { seededRandom } from '../random.js';
import { WeightedRandom } from './weighted-random.js';

const DRAWS = 30_000;
const UNDER_ONE = 1 - 2 ** -53;

describe('WeightedRandom', () => {
  test('picks idle hosts of weights 2:1 at 66.7/33.3', () => {
    const policy = new WeightedRandom(seededRandom(1));
    const candidates = hosts([0, 0], [2, 1]);
    expectShares(
      tally(2, DRAWS, () => policy.pick(candidates)),
      [2 / 3, 1 / 3],
    );
    expect(policy.chances(candidates)).toEqual([2 / 3, 1 / 3]);
  });

  test('picks hosts of equal weights equally often', () => {
    const policy = new WeightedRandom(seededRandom(2));
    const candidates = hosts(Array.from({ length: 10 }, () => 0));
    expectUniform(tally(10, DRAWS, () => policy.pick(candidates)));
  });

  test.each([
    [0, 0],
    [0.2499, 0],
    [0.25, 1],
    [0.7499, 1],
    [0.75, 2],
    [UNDER_ONE, 2],
  ])('maps a draw of %d over weights 1, 2, 1 to host %d', (drawn, expected) => {
    expect(new WeightedRandom(scripted(drawn)).pick(hosts([0, 0, 0], [1, 2, 1]))).toBe(expected);
  });

  test('ignores calls in flight', () => {
    const policy = new WeightedRandom(seededRandom(3));
    expect(policy.chances(hosts([1000, 0], [1, 1]))).toEqual([1 / 2, 1 / 2]);
    const candidates = hosts([1000, 0]);
    expectShares(
      tally(2, DRAWS, () => policy.pick(candidates)),
      [1 / 2, 1 / 2],
    );
  });

  test('stays inside the list with the largest weights', () => {
    const candidates = hosts(
      Array.from({ length: 1000 }, () => 0),
      Array.from({ length: 1000 }, () => 4_294_967_295),
    );
    expect(new WeightedRandom(() => UNDER_ONE).pick(candidates)).toBe(999);
    expect(new WeightedRandom(() => 0).pick(candidates)).toBe(0);
  });

  test('uses the weights of a new list', () => {
    const policy = new WeightedRandom(() => 0.5);
    expect(policy.pick(hosts([0, 0], [9, 1]))).toBe(0);
    expect(policy.pick(hosts([0, 0], [1, 9]))).toBe(1);
    expect(policy.pick(hosts([0]))).toBe(0);
  });
});
