import { describe, expect, test } from 'vitest';
import { expectUniform, tally } from '../../../../test/properties/statistics.js';
import { jittered, randomBelow, seededRandom } from './random.js';

describe('seededRandom', () => {
  test('gives the same sequence for the same seed, and a different one for another seed', () => {
    const draw = (seed: number): number[] => Array.from({ length: 20 }, seededRandom(seed));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test('gives uniform numbers in [0, 1)', () => {
    const random = seededRandom(1);
    const draws = Array.from({ length: 20_000 }, random);
    expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true);
    expectUniform(tally(20, draws.length, () => Math.floor(draws.pop()! * 20)));
  });
});

describe('randomBelow', () => {
  test.each([
    [0, 4, 0],
    [0.2499, 4, 0],
    [0.25, 4, 1],
    [1 - 2 ** -53, 4, 3],
    [1 - 2 ** -53, 1, 0],
  ])('%d of %d is %d', (drawn, n, expected) => {
    expect(randomBelow(() => drawn, n)).toBe(expected);
  });
});

describe('jittered', () => {
  test.each([
    [0, 80],
    [0.5, 100],
    [0.75, 110],
  ])('turns a draw of %d for 100 ± 20 %% into %d', (drawn, expected) => {
    expect(jittered(() => drawn, 100, 0.2)).toBeCloseTo(expected, 10);
  });

  test('returns the value itself without jitter', () => {
    expect(jittered(() => 0.9, 100, 0)).toBe(100);
  });
});
