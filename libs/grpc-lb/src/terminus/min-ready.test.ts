import { describe, expect, test } from 'vitest';
import { GrpcLbOptionsError } from '../core/errors.js';
import { type MinReady, readMinReady } from './min-ready.js';

describe('the minimum', () => {
  test.each([1, 2, 100])('of %d is absolute, whatever the number of endpoints', (minReady) => {
    expect([0, 1, 5, 1000].map(readMinReady(minReady))).toEqual([minReady, minReady, minReady, minReady]);
  });

  test.each<[MinReady, number[]]>([
    ['50%', [1, 1, 1, 2, 2, 3, 5]],
    ['100%', [1, 1, 2, 3, 4, 5, 10]],
    ['1%', [1, 1, 1, 1, 1, 1, 1]],
    ['33.4%', [1, 1, 1, 2, 2, 2, 4]],
    ['80%', [1, 1, 2, 3, 4, 4, 8]],
  ])('of %s is rounded up, and at least one', (minReady, expected) => {
    expect([0, 1, 2, 3, 4, 5, 10].map(readMinReady(minReady))).toEqual(expected);
  });
});

test.each(['0%', '0.5%', '101%', '50', '50 %', '%', 'half', 0, -1, 1.5, NaN, Infinity, null, {}, [1]])(
  '%j is no minimum',
  (minReady) => {
    expect(() => readMinReady(minReady as MinReady)).toThrow(GrpcLbOptionsError);
    expect(() => readMinReady(minReady as MinReady)).toThrow(
      /minReady is .*; use a whole number of at least 1, or a percentage from '1%' to '100%'$/,
    );
  },
);
