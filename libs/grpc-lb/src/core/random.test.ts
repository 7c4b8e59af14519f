import { describe, expect, test } from 'vitest';
import { expectUniform, tally } from '../../../../test/properties/statistics.js';
import { jittered, randomBelow, seededRandom } from './random.js';

describe('seededRandom', () => {
  test('a seed is a sequence: the same one each time, another one for another seed', () => {
    const draw = (seed: number): number[] => Array.from({ length: 20 }, seededRandom(seed));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test('numbers are in [0, 1) and even', () => {
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
  ])('a draw of %d makes 100 ± 20 %% to %d', (drawn, expected) => {
    expect(jittered(() => drawn, 100, 0.2)).toBeCloseTo(expected, 10);
  });

  test('no jitter is the value itself', () => {
    expect(jittered(() => 0.9, 100, 0)).toBe(100);
  });
});
