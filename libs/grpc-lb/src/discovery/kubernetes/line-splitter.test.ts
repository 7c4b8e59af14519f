import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from '../../../../../test/properties/check.js';
import { LineSplitter } from './line-splitter.js';

test('lines are restored wherever the chunks were split', () => {
  const line = fc.string({ minLength: 1 }).filter((text) => text.trim() !== '' && !text.includes('\n'));
  check(
    fc.property(fc.array(line), fc.array(fc.nat(60)), (lines, cuts) => {
      const text = lines.map((each) => `${each}\n`).join('');
      const splitter = new LineSplitter(1_000_000);
      const found: string[] = [];
      let from = 0;
      for (const length of [...cuts, text.length]) {
        found.push(...splitter.push(text.slice(from, from + length)));
        from += length;
      }
      expect(found).toEqual(lines);
    }),
  );
});

test('a line without end is rejected at the size limit', () => {
  const splitter = new LineSplitter(100);
  splitter.push('x'.repeat(60));
  splitter.push('x\n');
  splitter.push('x'.repeat(100));
  expect(() => splitter.push('x')).toThrow('an event of more than 100 characters');
});
