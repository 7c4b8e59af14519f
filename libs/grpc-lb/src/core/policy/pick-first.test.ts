import { describe, expect, test } from 'vitest';
import { hosts, scripted } from '../../../../../test/properties/hosts.js';
import { expectUniform, tally } from '../../../../../test/properties/statistics.js';
import { seededRandom } from '../random.js';
import { PickFirst } from './pick-first.js';

describe('PickFirst', () => {
  test('picks the first of the list, whatever its load and weight, without a random number', () => {
    const policy = new PickFirst({}, scripted());
    const candidates = hosts([1000, 0, 0], [1, 9, 9]);
    expect(tally(3, 100, () => policy.pick(candidates))).toEqual([100, 0, 0]);
    expect(policy.chances(candidates)).toEqual([1, 0, 0]);
    expect(new PickFirst({ shuffleAddressList: false }, scripted()).pick(candidates)).toBe(0);
  });

  test('moves on when the first is gone, and goes back as soon as it is there again', () => {
    const policy = new PickFirst({}, scripted());
    const [a, b, c] = hosts([0, 0, 0]);
    const order = [[a!, b!, c!], [b!, c!], [c!], [a!, b!, c!]].map((list) => list[policy.pick(list)]);
    expect(order).toEqual([a, b, c, a]);
  });
});

describe('PickFirst, shuffled', () => {
  const shuffled = { shuffleAddressList: true };

  test('draws once for each endpoint and keeps its rank', () => {
    // Drawn for b, a and c.
    const random = scripted(0.2, 0.5, 0.8);
    const policy = new PickFirst(shuffled, random);
    const [a, b, c] = hosts([0, 0, 0]);
    expect(policy.pick([a!, b!, c!])).toBe(1);
    expect(policy.pick([a!, b!, c!])).toBe(1);
    expect(policy.pick([c!, b!, a!])).toBe(1);
    expect(policy.pick([a!, c!])).toBe(0);
    expect(policy.pick([c!])).toBe(0);
    expect(policy.chances([c!, a!, b!])).toEqual([0, 0, 1]);
    expect(random.left()).toBe(0);
  });

  test('sends calls to a newcomer only if it is ranked first', () => {
    const policy = new PickFirst(shuffled, scripted(0.6, 0.5, 0.4));
    const [a, behind, front] = hosts([0, 0, 0]);
    expect(policy.pick([a!, behind!])).toBe(0);
    expect(policy.pick([a!, behind!, front!])).toBe(2);
    expect(policy.pick([behind!, a!])).toBe(1);
  });

  test('ranks each endpoint first for equally many clients (gRFC A62)', () => {
    const random = seededRandom(1);
    const candidates = hosts([0, 0, 0, 0, 0]);
    expectUniform(tally(5, 10_000, () => new PickFirst(shuffled, random).pick(candidates)));
  });
});
