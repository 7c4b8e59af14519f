import { expect, test } from 'vitest';
import { seededRandom } from '../../core/random.js';
import { Sampler } from './sampler.js';

/** How many of the calls of a second are taken, at an even rate. */
function taken(sampler: Sampler, second: number, calls: number): number {
  let count = 0;
  for (let i = 0; i < calls; i++) if (sampler.take(second * 1000 + (i * 1000) / calls)) count++;
  return count;
}

test('few calls are all taken', () => {
  const sampler = new Sampler(500, seededRandom(1));
  for (let second = 0; second < 5; second++) expect(taken(sampler, second, 400)).toBe(400);
  expect(sampler.share).toBe(1);
});

test('of many calls about the maximum is taken, spread over the second', () => {
  const sampler = new Sampler(500, seededRandom(1));
  // A burst after a quiet time is cut off.
  expect(taken(sampler, 0, 10_000)).toBe(500);
  for (let second = 1; second < 5; second++) {
    const count = taken(sampler, second, 10_000);
    expect(count).toBeGreaterThan(400);
    expect(count).toBeLessThanOrEqual(500);
  }
  expect(sampler.share).toBeCloseTo(0.05);
});

test('after a quiet time all are taken again', () => {
  const sampler = new Sampler(10, seededRandom(1));
  taken(sampler, 0, 1000);
  taken(sampler, 60, 5);
  expect(taken(sampler, 61, 8)).toBe(8);
});
