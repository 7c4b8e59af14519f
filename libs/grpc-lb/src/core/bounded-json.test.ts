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
])('refuses too many %s before it parses them', (_, piece) => {
  // It is not JSON: a parser would say so.
  expect(() => parseBoundedJson(`[${piece.repeat(100)}?`, { maxValues: 100 })).toThrow('more than 100 values');
});

test('refuses lists and objects that go too deep before it parses them', () => {
  expect(() => parseBoundedJson('['.repeat(65), { maxValues: 1000 })).toThrow('more than 64 nested lists and objects');
  expect(() => parseBoundedJson('{"a":['.repeat(5), { maxValues: 100, maxDepth: 8 })).toThrow(
    'more than 8 nested lists',
  );
  expect(parseBoundedJson('[[]]', { maxValues: 10, maxDepth: 2 })).toEqual([[]]);
});
