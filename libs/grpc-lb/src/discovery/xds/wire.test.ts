import { describe, expect, test } from 'vitest';
import { countFields, eachField } from './wire.js';

const fieldsOf = (...bytes: number[]): number[][] => {
  const found: number[][] = [];
  eachField(Uint8Array.from(bytes), (...each) => void found.push(each));
  return found;
};

test('each field is visited with the position of its content', () => {
  // 1: varint 300; 2: "ab"; 3: fixed64; 4: fixed32; 16: "".
  expect(
    fieldsOf(0x08, 0xac, 0x02, 0x12, 2, 97, 98, 0x19, 0, 0, 0, 0, 0, 0, 0, 0, 0x25, 0, 0, 0, 0, 0x82, 0x01, 0),
  ).toEqual([
    [1, 3, 3],
    [2, 5, 7],
    [3, 16, 16],
    [4, 21, 21],
    [16, 24, 24],
  ]);
});

test.each([
  ['a length beyond the end', [0x12, 5, 0]],
  ['a length of 2^60', [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ['a number that does not end', [0x08, 0xff]],
  ['a number of more than ten bytes', [0x08, ...Array.from({ length: 11 }, () => 0xff), 0]],
  ['a group, which may be nested without end', [0x0b, 0x0b, 0x0b]],
  ['a fixed64 that is cut', [0x09, 1]],
])('%s is not a message', (_, bytes) => {
  expect(() => fieldsOf(...bytes)).toThrow(/truncated|exceeds|wire type/);
});

describe('fields are counted', () => {
  const empties = (count: number): Uint8Array => Uint8Array.from({ length: 2 * count }, (_, i) => (i % 2 ? 0 : 0x12));

  test('in nested messages too, where the shape lists them', () => {
    const bytes = Uint8Array.from([0x12, 4, 0x12, 0, 0x12, 0]);
    expect(countFields(bytes, {}, 100)).toBe(1);
    expect(countFields(bytes, { 2: {} }, 100)).toBe(3);
  });

  test('up to the limit only', () => {
    expect(countFields(empties(10), { 2: {} }, 10)).toBe(10);
    expect(countFields(empties(2_000_000), { 2: {} }, 10)).toBe(11);
  });
});
