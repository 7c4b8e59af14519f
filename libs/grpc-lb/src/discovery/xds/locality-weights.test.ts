import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointWeights, type WeighedLocality } from './locality-weights.js';

// A fixed seed keeps failures reproducible; set FAST_CHECK_SEED to try another one.
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) });

const locality = (weight: number | undefined, weights: number[], size = weights.length): WeighedLocality => ({
  weight,
  weights,
  size,
});

const nine = Array.from({ length: 9 }, () => 1);

describe('weights of the endpoints of one priority', () => {
  test.each<[string, WeighedLocality[], number, (readonly number[] | undefined)[]]>([
    [
      'without weights of localities, endpoints count by their own',
      [locality(undefined, [1, 2]), locality(undefined, [3])],
      1.4,
      [[1, 2], [3]],
    ],
    ['alone, a locality leaves the weights as they are', [locality(7, [10, 20])], 1.4, [[10, 20]]],
    [
      'alone among those with a weight, too',
      [locality(7, [10, 20]), locality(undefined, [1]), locality(0, [1])],
      1.4,
      [[10, 20], undefined, undefined],
    ],
    [
      'equal localities of different size get equal shares',
      [locality(1, [1]), locality(1, [1, 1, 1])],
      1.4,
      [[3], [1, 1, 1]],
    ],
    [
      'a control plane that weighs localities by their size (Istio) makes all equal',
      [locality(1, [1]), locality(9, nine)],
      1.4,
      [[1], nine],
    ],
    ['three times the share, divided by the own weights', [locality(3, [1, 2]), locality(1, [1])], 1.4, [[1, 2], [1]]],
    [
      'a locality without endpoints that may be used takes nothing from others',
      [locality(1, [], 4), locality(1, [1, 1])],
      1.4,
      [[], [1, 1]],
    ],
    [
      'a locality that can spare what it lost keeps its share',
      [locality(1, [1, 1, 1], 4), locality(1, [1])],
      1.4,
      [[1, 1, 1], [3]],
    ],
    [
      'a locality that lost half of its endpoints keeps 0.7 of its share',
      [locality(1, [1], 2), locality(1, [1])],
      1.4,
      [[7], [10]],
    ],
    ['all localities have weight 0', [locality(0, [1]), locality(0, [2])], 1.4, [undefined, undefined]],
    ['no localities', [], 1.4, []],
  ])('%s', (_, localities, factor, expected) => {
    expect(endpointWeights(localities, factor)).toEqual(expected);
  });

  const uint32 = fc.integer({ min: 1, max: 2 ** 32 - 1 });
  const localities = fc.array(
    fc.record({
      weight: fc.oneof(uint32, fc.integer({ min: 1, max: 10 })),
      weights: fc.array(uint32, { minLength: 1, maxLength: 8 }),
    }),
    { minLength: 2, maxLength: 6 },
  );

  test('each locality gets its share of all, within the precision of 32 bits', () => {
    fc.assert(
      fc.property(localities, (list) => {
        const result = endpointWeights(
          list.map(({ weight, weights }) => locality(weight, weights)),
          1,
        ) as number[][];
        const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
        const all = sum(result.map(sum));
        for (const weight of result.flat())
          expect(Number.isInteger(weight) && weight >= 1 && weight < 2 ** 32).toBe(true);
        const wanted = sum(list.map(({ weight }) => weight));
        // Each of at most 48 endpoints is off by at most one, and the largest has 2^32 - 1, unless all are small.
        for (const [i, { weight }] of list.entries()) expect(sum(result[i]!) / all).toBeCloseTo(weight / wanted, 5);
      }),
    );
  });
});
