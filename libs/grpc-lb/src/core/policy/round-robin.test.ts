import { describe, expect, test } from 'vitest';
import { hosts, scripted } from '../../../../../test/properties/hosts.js';
import { expectUniform, tally } from '../../../../../test/properties/statistics.js';
import { seededRandom } from '../random.js';
import { RoundRobin } from './round-robin.js';

const idle = (n: number) => hosts(Array.from({ length: n }, () => 0));

describe('RoundRobin', () => {
  test('one after the other, from the start that was drawn; one draw for ever', () => {
    const policy = new RoundRobin(scripted(0.5));
    const four = idle(4);
    expect(Array.from({ length: 9 }, () => policy.pick(four))).toEqual([2, 3, 0, 1, 2, 3, 0, 1, 2]);
  });

  test('load and weight do not matter', () => {
    const policy = new RoundRobin(scripted(0));
    const candidates = hosts([100, 0, 5], [1, 9, 1]);
    expect(tally(3, 300, () => policy.pick(candidates))).toEqual([100, 100, 100]);
  });

  test('a new list of the same length goes on where the old one was', () => {
    const policy = new RoundRobin(scripted(0));
    expect([policy.pick(idle(3)), policy.pick(idle(3)), policy.pick(idle(3)), policy.pick(idle(3))]).toEqual([
      0, 1, 2, 0,
    ]);
  });

  test('a list that grows and shrinks is gone round exactly from the next call on', () => {
    const policy = new RoundRobin(seededRandom(1));
    for (const n of [3, 5, 1, 2, 7, 4, 1, 6]) {
      const candidates = idle(n);
      const counts = tally(n, n * 3, () => policy.pick(candidates));
      expect(counts).toEqual(Array.from({ length: n }, () => 3));
    }
  });

  test('many clients that begin together do not begin at one endpoint', () => {
    const random = seededRandom(2);
    const candidates = idle(8);
    expectUniform(tally(8, 8000, () => new RoundRobin(random).pick(candidates)));
  });

  test('the chances name the next endpoint, and asking for them moves nothing', () => {
    const policy = new RoundRobin(scripted(0.9));
    const candidates = idle(3);
    expect(policy.chances(candidates)).toEqual([0, 0, 1]);
    expect(policy.chances(candidates)).toEqual([0, 0, 1]);
    expect(policy.pick(candidates)).toBe(2);
    expect(policy.chances(candidates)).toEqual([1, 0, 0]);
    expect(policy.pick(candidates)).toBe(0);
  });
});
