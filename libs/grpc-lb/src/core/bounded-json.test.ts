import { expect, it, test } from 'vitest';
import { parseBoundedJson } from './bounded-json.js';

test('reads what JSON.parse reads', () => {
  const value = { a: [1, 'b, [{', { c: 'd"\\' }], e: null };
  expect(parseBoundedJson(JSON.stringify(value, null, 2), { maxValues: 20 })).toEqual(value);
  expect(parseBoundedJson('"["', { maxValues: 1 })).toBe('[');
  expect(() => parseBoundedJson('{"a":', { maxValues: 20 })).toThrow(SyntaxError);
  expect(() => parseBoundedJson('"\\', { maxValues: 20 })).toThrow(SyntaxError);
});

it.each([
  ['lists', '[],'],
  ['objects', '{},'],
  ['numbers', '1,'],
  ['members', '"a":1,'],
])('rejects too many %s before parsing them', (_, piece) => {
  // Not valid JSON: a parser would report that instead.
  expect(() => parseBoundedJson(`[${piece.repeat(100)}?`, { maxValues: 100 })).toThrow('more than 100 values');
});

test('rejects lists and objects that are nested too deeply before parsing them', () => {
  expect(() => parseBoundedJson('['.repeat(65), { maxValues: 1000 })).toThrow('more than 64 nested lists and objects');
  expect(() => parseBoundedJson('{"a":['.repeat(5), { maxValues: 100, maxDepth: 8 })).toThrow(
    'more than 8 nested lists',
  );
  expect(parseBoundedJson('[[]]', { maxValues: 10, maxDepth: 2 })).toEqual([[]]);
});
