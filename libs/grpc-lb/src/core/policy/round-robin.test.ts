import { describe, expect, test } from 'vitest';
import { hosts, scripted } from '../../../../../test/properties/hosts.js';
import { expectUniform, tally } from '../../../../../test/properties/statistics.js';
import { seededRandom } from '../random.js';
import { RoundRobin } from './round-robin.js';

const idle = (n: number) => hosts(Array.from({ length: n }, () => 0));

describe('RoundRobin', () => {
  test('picks in turn from a random start, with a single random number', () => {
    const policy = new RoundRobin(scripted(0.5));
    const four = idle(4);
    expect(Array.from({ length: 9 }, () => policy.pick(four))).toEqual([2, 3, 0, 1, 2, 3, 0, 1, 2]);
  });

  test('ignores load and weight', () => {
    const policy = new RoundRobin(scripted(0));
    const candidates = hosts([100, 0, 5], [1, 9, 1]);
    expect(tally(3, 300, () => policy.pick(candidates))).toEqual([100, 100, 100]);
  });

  test('continues at the same position in a new list of the same length', () => {
    const policy = new RoundRobin(scripted(0));
    expect([policy.pick(idle(3)), policy.pick(idle(3)), policy.pick(idle(3)), policy.pick(idle(3))]).toEqual([
      0, 1, 2, 0,
    ]);
  });

  test('cycles exactly over a list that grows or shrinks from the next call on', () => {
    const policy = new RoundRobin(seededRandom(1));
    for (const n of [3, 5, 1, 2, 7, 4, 1, 6]) {
      const candidates = idle(n);
      const counts = tally(n, n * 3, () => policy.pick(candidates));
      expect(counts).toEqual(Array.from({ length: n }, () => 3));
    }
  });

  test('starts many simultaneous clients at different endpoints', () => {
    const random = seededRandom(2);
    const candidates = idle(8);
    expectUniform(tally(8, 8000, () => new RoundRobin(random).pick(candidates)));
  });

  test('has chances that point to the next endpoint, and reading them does not advance it', () => {
    const policy = new RoundRobin(scripted(0.9));
    const candidates = idle(3);
    expect(policy.chances(candidates)).toEqual([0, 0, 1]);
    expect(policy.chances(candidates)).toEqual([0, 0, 1]);
    expect(policy.pick(candidates)).toBe(2);
    expect(policy.chances(candidates)).toEqual([1, 0, 0]);
    expect(policy.pick(candidates)).toBe(0);
  });
});
