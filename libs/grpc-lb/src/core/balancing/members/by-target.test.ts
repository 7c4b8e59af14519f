import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from '../../../../../../test/properties/check.js';
import type { Endpoint } from '../../endpoint.js';
import { byTarget } from './by-target.js';

const at = (port: number, priority?: number): Endpoint => ({
  address: { host: 'h', port },
  ...(priority === undefined ? {} : { priority }),
});
const shortly = (list: readonly Endpoint[]): string[] =>
  list.map(({ address, priority = 0 }) => `${'port' in address ? address.port : ''}@${priority}`);

test('a single list without priorities is returned as is', () => {
  const list = [at(1), at(2, 0)];
  expect(byTarget([list])).toBe(list);
  expect(byTarget([[]])).toEqual([]);
});

test.each<[Endpoint[][], string[]]>([
  [[[at(1, 7), at(2, 3), at(3, 7)]], ['1@1', '2@0', '3@1']],
  [
    [[at(1)], [at(2)], [at(3)]],
    ['1@0', '2@1', '3@2'],
  ],
  [
    [
      [at(1), at(2, 9)],
      [at(3, 5), at(4)],
    ],
    ['1@0', '2@1', '3@3', '4@2'],
  ],
  [[[], [at(1)]], ['1@1']],
  [
    [[], [], [at(1, 4), at(2, 2)]],
    ['1@3', '2@2'],
  ],
  [[[at(1)], []], ['1@0']],
])('%j', (lists, expected) => {
  expect(shortly(byTarget(lists))).toEqual(expected);
});

test('other fields of an endpoint are kept, and the lists of the sources are not modified', () => {
  const list = [Object.freeze({ ...at(1, 3), weight: 5, locality: { zone: 'a' } })];
  expect(byTarget([list])).toEqual([{ ...at(1, 0), weight: 5, locality: { zone: 'a' } }]);
  expect(list[0]!.priority).toBe(3);
});

test('the order of targets comes first, then that within a target, whatever the numbers', () => {
  const endpoint = fc
    .tuple(fc.integer({ min: 1, max: 99 }), fc.option(fc.integer({ min: 0, max: 127 }), { nil: undefined }))
    .map(([port, priority]) => at(port, priority));
  check(
    fc.property(fc.array(fc.array(endpoint, { maxLength: 6 }), { minLength: 1, maxLength: 4 }), (lists) => {
      const merged = byTarget(lists);
      const flat = lists.flatMap((list, target) =>
        list.map((each) => ({ target, priority: each.priority ?? 0, each })),
      );
      expect(merged.map(({ address }) => address)).toEqual(flat.map(({ each }) => each.address));
      for (const [i, one] of flat.entries()) {
        for (const [j, other] of flat.entries()) {
          const before = one.target - other.target || one.priority - other.priority;
          const numbered = (merged[i]!.priority ?? 0) - (merged[j]!.priority ?? 0);
          expect(Math.sign(numbered)).toBe(Math.sign(before));
        }
      }
    }),
  );
});
