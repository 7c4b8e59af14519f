import { expect } from 'vitest';

/** The count of each of `n` outcomes in `draws` draws. */
export function tally(n: number, draws: number, draw: () => number): number[] {
  const counts = Array.from({ length: n }, () => 0);
  for (let i = 0; i < draws; i++) counts[draw()]!++;
  return counts;
}

/**
 * By how much the count of an event of probability `p` may differ from `draws * p`: Bernstein's inequality, solved for
 * a chance of 1e-9 to be beyond. With many draws that is 6.5 sigma; unlike a number of sigmas it also holds for rare
 * events, whose counts are far from normal. What never or always happens may not differ at all.
 */
export function tolerance(draws: number, p: number): number {
  if (p <= 0 || p >= 1) return 0;
  const log = Math.log(2 / 1e-9);
  return log / 3 + Math.sqrt((log / 3) ** 2 + 2 * log * draws * p * (1 - p));
}

/** Each count agrees with its probability. */
export function expectShares(counts: readonly number[], shares: readonly number[]): void {
  const draws = counts.reduce((sum, count) => sum + count, 0);
  expect(counts.length).toBe(shares.length);
  shares.forEach((share, i) => {
    const off = Math.abs(counts[i]! - draws * share);
    expect(off, `outcome ${i} came ${counts[i]} times in ${draws}; its share is ${share}`).toBeLessThanOrEqual(
      tolerance(draws, share),
    );
  });
}

/**
 * All outcomes are equally likely, as a whole: Pearson's chi-square, which finds small biases that are spread over
 * all counts. Laurent and Massart (2000): a chi-square of k degrees of freedom is beyond k + 2√(kx) + 2x with a chance
 * of at most e^−x; x = 21 makes that 1e-9.
 */
export function expectUniform(counts: readonly number[]): void {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  const x = 21;
  expect(chiSquare, `chi-square of ${counts.join(', ')}`).toBeLessThan(freedom + 2 * Math.sqrt(freedom * x) + 2 * x);
}
