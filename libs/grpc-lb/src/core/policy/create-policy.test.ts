import { describe, expect, test } from 'vitest';
import { hosts, scripted } from '../../../../../test/properties/hosts.js';
import { POLICY_NAMES } from '../options/policy-config.js';
import { createPolicy } from './create-policy.js';
import { LeastRequest } from './least-request.js';
import { PickFirst } from './pick-first.js';
import { RoundRobin } from './round-robin.js';
import { WeightedRandom } from './weighted-random.js';

describe('createPolicy', () => {
  test('each name has its policy', () => {
    expect(
      Object.fromEntries(POLICY_NAMES.map((name) => [name, createPolicy({ name }, scripted()).constructor])),
    ).toEqual({
      least_request: LeastRequest,
      round_robin: RoundRobin,
      random: WeightedRandom,
      pick_first: PickFirst,
    });
  });

  test('its options reach it', () => {
    const chances = (options: { choiceCount?: number; activeRequestBias?: number }, weights: number[] = []): number[] =>
      createPolicy({ name: 'least_request', ...options }, scripted()).chances(hosts([3, 0, 1], weights));
    expect(chances({})).toEqual([0, 1, 0]);
    expect(chances({ choiceCount: 2 }).map((chance) => Math.round(chance * 6))).toEqual([0, 4, 2]);
    expect(chances({ activeRequestBias: 0 }, [2, 1, 1])).toEqual([1 / 2, 1 / 4, 1 / 4]);

    const shuffled = createPolicy({ name: 'pick_first', shuffleAddressList: true }, scripted(0.1, 0.9));
    expect(shuffled.pick(hosts([0, 0]))).toBe(1);
  });

  test('the random it is given is the one it draws from', () => {
    expect(createPolicy({ name: 'least_request' }, scripted(0.7)).pick(hosts([0, 0, 0]))).toBe(2);
    expect(createPolicy({ name: 'random' }, scripted(0.7)).pick(hosts([0, 0, 0]))).toBe(2);
    expect(createPolicy({ name: 'round_robin' }, scripted(0.7)).pick(hosts([0, 0, 0]))).toBe(2);
  });
});
