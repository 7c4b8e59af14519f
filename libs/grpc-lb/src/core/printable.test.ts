import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../../../test/properties/check.js';
import { isPrintable, MAX_TEXT, printable, printableError } from './printable.js';

test('ordinary text is unchanged', () => {
  for (const text of ['', 'connect ECONNREFUSED 10.0.0.1:50051', 'Größe 3 × 4 – 注文 😀', 'C:\\new']) {
    expect(printable(text)).toBe(text);
  }
});

describe('control characters are escaped', () => {
  test.each([
    ['a\nb\r\nc\td', 'a\\nb\\r\\nc\\td'],
    ['\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
    ['\u0000\u007f\u0085\u009b2J', '\\u0000\\u007f\\u0085\\u009b2J'],
    ['line\u2028paragraph\u2029', 'line\\u2028paragraph\\u2029'],
    ['\u202eevil\u202c \u2066isolate\u2069 \u200emark', '\\u202eevil\\u202c \\u2066isolate\\u2069 \\u200emark'],
    ['zero\u200bwidth\ufeff', 'zero\\u200bwidth\\ufeff'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['half \ud83d of a pair', 'half \\ud83d of a pair'],
  ])('%j', (text, expected) => {
    expect(printable(text)).toBe(expected);
  });
});

describe('long text is truncated, with its length appended', () => {
  test('at 500 characters by default', () => {
    expect(printable('x'.repeat(MAX_TEXT))).toBe('x'.repeat(MAX_TEXT));
    const cut = printable('x'.repeat(8_800_000));
    expect(cut).toHaveLength(500);
    expect(cut).toMatch(/^x{400,}\.\.\. \(8800000 characters\)$/);
  });

  test('even if only its escapes are long', () => {
    expect(printable('\u001b'.repeat(100), 60).length).toBeLessThanOrEqual(60);
    expect(printable('\u001b'.repeat(100), 60)).toMatch(/^(\\u001b)+\.\.\. \(100 characters\)$/);
  });

  test('between characters, never within a surrogate pair', () => {
    for (let max = 30; max < 40; max++) {
      expect(printable('😀'.repeat(100), max)).toMatch(/^(?:😀)+\.\.\. \(200 characters\)$/u);
    }
  });
});

test('for any input the result is short, harmless, and idempotent', () => {
  const text = fc.string({ unit: 'binary', maxLength: 700 });
  check(
    fc.property(text, fc.integer({ min: 40, max: 600 }), (each, max) => {
      const shown = printable(each, max);
      expect(shown.length).toBeLessThanOrEqual(max);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      expect(printable(shown, max)).toBe(shown);
      expect(isPrintable(each, max)).toBe(shown === each);
    }),
    100,
  );
});

test('any thrown value is printable', () => {
  expect(printableError(new Error('a\nb'))).toBe('a\\nb');
  expect(printableError('text')).toBe('text');
  expect(printableError(undefined)).toBe('undefined');
  expect(printableError(Object.create(null))).toBe('an error without a message');
  expect(printableError(Object.assign(new Error(), { message: 7 }))).toBe('7');
  const hostile = Object.defineProperty(new Error(), 'message', { get: () => BigInt('x') });
  expect(printableError(hostile)).toBe('an error without a message');
});
