import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { JsonElements } from './json-elements.js';

function taken(text: string, key?: string, pieces: readonly number[] = []): { items: unknown[]; rest: unknown } {
  const elements = new JsonElements(key, 10_000);
  const items: unknown[] = [];
  let from = 0;
  for (const length of [...pieces, Infinity]) {
    for (const item of elements.push(text.slice(from, from + length))) items.push(JSON.parse(item));
    from += length;
  }
  return { items, rest: JSON.parse(elements.rest) };
}

test('the elements of any list in any chunks equal those of JSON.parse', () => {
  const pieces = fc.array(fc.nat(7), { maxLength: 200 });
  const property = fc.property(
    fc.array(fc.jsonValue()),
    fc.jsonValue(),
    pieces,
    fc.boolean(),
    (list, other, cuts, nice) => {
      const space = nice ? 2 : undefined;
      expect(taken(JSON.stringify(list, null, space), undefined, cuts)).toEqual(
        JSON.parse(JSON.stringify({ items: list, rest: [] })),
      );
      const text = JSON.stringify({ kind: other, items: list, metadata: other }, null, space);
      expect(taken(text, 'items', cuts)).toEqual(
        JSON.parse(JSON.stringify({ items: list, rest: { kind: other, items: [], metadata: other } })),
      );
    },
  );
  fc.assert(property, { seed: 1, numRuns: 100 });
});

describe('the list under a key', () => {
  it.each([
    ['{"metadata":{"items":[1]},"items":[2]}', [2]],
    ['{"a":"\\"items\\":[","items":[3]}', [3]],
    ['{"a\\"items":[1],"items":[4]}', [4]],
    ['{"a":["items",[1]],"items":[5]}', [5]],
    ['{"items":null}', []],
    ['[1,2]', []],
    ['{}', []],
  ])('%s', (text, items) => {
    expect(taken(text, 'items').items).toEqual(items);
  });
});

it.each(['[1,]', '[,1]', '[,]', '[1 2]', '[1}', '[1'])('%s is not JSON', (text) => {
  expect(() => taken(text)).toThrow(SyntaxError);
});

test('an unterminated element, or an unterminated value beside the list, is rejected', () => {
  const endless = (start: string): (() => void) => {
    const elements = new JsonElements('items', 10_000);
    elements.push(start);
    return () => {
      for (let i = 0; i < 200; i++) elements.push('x'.repeat(100));
    };
  };
  expect(endless('{"items":[1,')).toThrow('more than 10000 characters');
  expect(endless('{"a":"')).toThrow('more than 10000 characters');
});

test('many other lists beside the requested one cost no more than scanning their text', () => {
  const elements = new JsonElements('items', 4_000_000);
  const start = process.cpuUsage();
  for (let i = 0; i < 100_000; i++) elements.push(i === 0 ? '{"a":[]' : ',"a":[]');
  const { user, system } = process.cpuUsage(start);
  expect(elements.push(',"items":[7]}')).toEqual(['7']);
  // Rescanning all input for each list would take minutes.
  expect((user + system) / 1e6).toBeLessThan(5);
});

test('the length of a list is unlimited', () => {
  const elements = new JsonElements(undefined, 10);
  elements.push('[');
  let count = 0;
  for (let i = 0; i < 1000; i++) count += elements.push('"abcde",').length;
  expect(count).toBe(1000);
});
