import { describe, expect, test } from 'vitest';
import { scaledWeights, Sequence } from './static-stride.js';

/** The rule of gRFC A58's static stride again, in integers of any size. */
function plain(weights: readonly number[], start: number, picks: number): number[] {
  const found: number[] = [];
  for (let sequence = BigInt(start); found.length < picks; sequence = (sequence + 1n) % 2n ** 32n) {
    const index = sequence % BigInt(weights.length);
    const generation = sequence / BigInt(weights.length);
    const weight = BigInt(weights[Number(index)]!);
    if ((weight * generation + index * 32_767n) % 65_535n >= 65_535n - weight) found.push(Number(index));
  }
  return found;
}

const picks = (weights: readonly number[], start: number, n: number): number[] => {
  const sequence = new Sequence(start);
  return Array.from({ length: n }, () => sequence.byWeight(Uint16Array.from(weights)));
};

const tally = (found: readonly number[], n: number): number[] =>
  Array.from({ length: n }, (_, i) => found.filter((each) => each === i).length);

describe('static stride', () => {
  test('scales weights to 16 bits', () => {
    expect(scaledWeights([1, 2])).toEqual(Uint16Array.of(32_768, 65_535));
    expect(scaledWeights([300, 100, 200])).toEqual(Uint16Array.of(65_535, 21_845, 43_690));
  });

  test('keeps every weight large enough to be picked', () => {
    expect(scaledWeights([1e-9, 1e9])).toEqual(Uint16Array.of(1, 65_535));
  });

  test('needs no schedule for equal weights, even if they differ by less than the resolution', () => {
    expect(scaledWeights([7, 7, 7])).toBeUndefined();
    expect(scaledWeights([1_000_000, 1_000_001])).toBeUndefined();
    expect(scaledWeights([5])).toBeUndefined();
  });

  // Computed by hand: in generation g the first is picked if g * 32768 mod 65535 >= 32767, the second always.
  test('gives this exact sequence for weights of 1 and 2', () => {
    expect(picks([32_768, 65_535], 0, 9)).toEqual([1, 0, 1, 1, 0, 1, 1, 0, 1]);
  });

  // Computed by hand. Generation 0: 0 < 43690, 32767 >= 21845, always. 1: 21845 < 43690, 10922 < 21845, always.
  // 2: 43690 >= 43690, 54612 >= 21845, always; and so on.
  test('gives this exact sequence for weights of 1, 2 and 3', () => {
    expect(picks([21_845, 43_690, 65_535], 0, 12)).toEqual([1, 2, 2, 0, 1, 2, 1, 2, 2, 0, 1, 2]);
  });

  test.each([
    { weights: [65_535, 65_535, 65_535], start: 5 },
    { weights: [65_535, 1], start: 0 },
    { weights: [1, 1, 65_535], start: 123_456_789 },
    { weights: [52_428, 65_535, 13_107, 40_000], start: 4_294_967_290 },
  ])('agrees with the rule in integers of any size: $weights from $start', ({ weights, start }) => {
    expect(picks(weights, start, 2000)).toEqual(plain(weights, start, 2000));
  });

  test('picks each one in exactly as many of 65535 generations as its weight says, from any start', () => {
    const weights = [65_535, 30_000, 12_345, 1];
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const start of [0, 77, 65_535 * 4]) expect(tally(picks(weights, start, total), 4)).toEqual(weights);
  });

  test('never skips two neighbors of 80 % in the same generation', () => {
    // Without the offset one generation in five would skip both.
    const found = picks([52_428, 52_428], 0, 1000);
    for (let i = 2; i < found.length; i++) expect(new Set(found.slice(i - 2, i + 1)).size).toBe(2);
  });

  test('picks all in turn from the start, and across the wrap at 32 bits', () => {
    const sequence = new Sequence(4_294_967_294);
    expect(Array.from({ length: 4 }, () => sequence.inTurn(3))).toEqual([2, 0, 0, 1]);
  });
});
