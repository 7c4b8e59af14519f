import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { timeoutHeader } from './attempt-headers.js';

const UNITS: Record<string, number> = { m: 1, S: 1000, M: 60_000, H: 3_600_000 };

test.each([
  [-5, '0m'],
  [0, '0m'],
  [0.2, '1m'],
  [1500, '1500m'],
  [99_999_999, '99999999m'],
  [100_000_000, '100000S'],
  [100_000_001, '100001S'],
  [1e11, '1666667M'],
  [Number.MAX_SAFE_INTEGER, '99999999H'],
])('%d ms is %s', (milliseconds, header) => {
  expect(timeoutHeader(milliseconds)).toBe(header);
});

test('it has at most eight digits, and is never shorter than the time, nor longer by more than a unit', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 99_999_999 * UNITS['H']!, noNaN: true }), (milliseconds) => {
      const header = timeoutHeader(milliseconds);
      expect(header).toMatch(/^\d{1,8}[mSMH]$/);
      const unit = UNITS[header.at(-1)!]!;
      const said = Number.parseInt(header, 10) * unit;
      // Fractions of a very long time are lost in a double.
      expect(said).toBeGreaterThanOrEqual(milliseconds - 1e-3);
      expect(said - milliseconds).toBeLessThanOrEqual(unit);
    }),
  );
});
