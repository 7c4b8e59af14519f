import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../../../../test/properties/check.js';
import { evenPart } from './even-part.js';

const total = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

const weight = fc.integer({ min: 1, max: 50 });
/** Some warm endpoints, and some in slow start. */
const group = fc
  .tuple(
    fc.array(fc.record({ weight, warmth: fc.constant(1) }), { minLength: 1, maxLength: 8 }),
    fc.array(fc.record({ weight, warmth: fc.double({ min: 0.01, max: 0.99, noNaN: true }) }), {
      minLength: 1,
      maxLength: 8,
    }),
  )
  .map(([warm, cold]) => [...warm, ...cold]);

describe('the part of the calls that goes to all endpoints equally', () => {
  test('is the smallest that keeps each at 1.5 times its share, compared to an exhaustive search', () => {
    check(
      fc.property(group, (endpoints) => {
        const weights = total(endpoints.map((each) => each.weight));
        const shares = endpoints.map((each) => each.weight / weights);
        const warm = total(shares.filter((_, i) => endpoints[i]!.warmth === 1));
        const considered = endpoints.map(({ warmth }, i) => (warmth < 1 ? warmth * shares[i]! : 0));
        const left = 1 - total(considered);
        /** The calls of each endpoint: `part` goes to all equally, and the rest by the ramp. */
        const carried = (part: number): number[] =>
          endpoints.map(({ warmth }, i) => {
            const onTheRamp = warmth < 1 ? considered[i]! : (left * shares[i]!) / warm;
            return part * shares[i]! + (1 - part) * onTheRamp;
          });
        const most = (part: number): number => Math.max(...carried(part).map((each, i) => each / shares[i]!));
        const tried = Array.from({ length: 1001 }, (_, i) => i / 1000).find((part) => most(part) <= 1.5 + 1e-9)!;
        const part = evenPart(warm, total(considered));
        expect(part).toBeGreaterThan(tried - 0.001 - 1e-9);
        expect(part).toBeLessThan(tried + 1e-9);
        expect(total(carried(part))).toBeCloseTo(1, 9);
      }),
    );
  });

  test('is 0 for one newcomer beside two or more of its weight', () => {
    for (let n = 3; n < 20; n++) expect(evenPart((n - 1) / n, 0.05 / n)).toBe(0);
  });

  test('is 1 if the warm ones have no share', () => {
    expect(evenPart(0, 0.5)).toBe(1);
  });
});
