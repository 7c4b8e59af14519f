import { describe, expect, test } from 'vitest';
import { hosts, scripted } from '../../../../../test/properties/hosts.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { POLICY_NAMES } from '../options/policy-config.js';
import { Adaptive } from './adaptive.js';
import { createPolicy } from './create-policy.js';
import { HotCold } from './hot-cold.js';
import { LeastRequest } from './least-request.js';
import { PeakEwma } from './peak-ewma.js';
import { PickFirst } from './pick-first.js';
import { UNKNOWN_CALL } from './policy.js';
import { RingHash } from './ring-hash.js';
import { RoundRobin } from './round-robin.js';
import { WeightedRandom } from './weighted-random.js';
import { WeightedRoundRobin } from './weighted-round-robin.js';

describe('createPolicy', () => {
  test('creates the policy for each name', () => {
    expect(
      Object.fromEntries(
        POLICY_NAMES.map((name) => {
          const config = name === 'ring_hash' ? { name, by: 'x-session-id' } : { name };
          return [name, createPolicy(config, scripted(0), new FakeClock()).constructor];
        }),
      ),
    ).toEqual({
      least_request: LeastRequest,
      adaptive: Adaptive,
      peak_ewma: PeakEwma,
      hot_cold: HotCold,
      round_robin: RoundRobin,
      weighted_round_robin: WeightedRoundRobin,
      ring_hash: RingHash,
      random: WeightedRandom,
      pick_first: PickFirst,
    });
  });

  test('passes the options to the policy', () => {
    const chances = (options: { choiceCount?: number; activeRequestBias?: number }, weights: number[] = []): number[] =>
      createPolicy({ name: 'least_request', ...options }, scripted(), new FakeClock()).chances(
        hosts([3, 0, 1], weights),
      );
    expect(chances({})).toEqual([0, 1, 0]);
    expect(chances({ choiceCount: 2 }).map((chance) => Math.round(chance * 6))).toEqual([0, 4, 2]);
    expect(chances({ activeRequestBias: 0 }, [2, 1, 1])).toEqual([1 / 2, 1 / 4, 1 / 4]);

    const shuffled = createPolicy(
      { name: 'pick_first', shuffleAddressList: true },
      scripted(0.1, 0.9),
      new FakeClock(),
    );
    expect(shuffled.pick(hosts([0, 0]), UNKNOWN_CALL)).toBe(1);
  });

  test('uses the given random source', () => {
    expect(
      createPolicy({ name: 'least_request' }, scripted(0.7), new FakeClock()).pick(hosts([0, 0, 0]), UNKNOWN_CALL),
    ).toBe(2);
    expect(createPolicy({ name: 'random' }, scripted(0.7), new FakeClock()).pick(hosts([0, 0, 0]), UNKNOWN_CALL)).toBe(
      2,
    );
    expect(
      createPolicy({ name: 'round_robin' }, scripted(0.7), new FakeClock()).pick(hosts([0, 0, 0]), UNKNOWN_CALL),
    ).toBe(2);
  });
});
