import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { warmth } from '../balancing/health/slow-start.js';
import type { PolicyConfig } from '../options/policy-config.js';
import { effectiveSlowStart } from '../options/slow-start-options.js';
import { createPolicy } from '../policy/create-policy.js';
import { UNKNOWN_CALL } from '../policy/policy.js';
import { seededRandom } from '../random.js';
import { chancesOf } from './chances.js';
import { type Choosable, Choice } from './choice.js';
import type { Rotatable } from '../balancing/route/rotation.js';
import { type Route, routeOf } from '../balancing/route/route.js';

interface Endpoint extends Choosable, Rotatable {
  inFlight: number;
  warmth: number;
}

const ALWAYS = {
  failureFactor: 1,
  streams: 0,
  lingering: 0,
  connected: true,
  healthy: true,
  probing: false,
  wantsProbe: false,
};
const endpoint = (key: string, weight = 1): Endpoint => ({ key, weight, warmth: 1, inFlight: 0, ...ALWAYS });
const endpoints = (weights: readonly number[]): Endpoint[] =>
  weights.map((weight, i) => endpoint(`host-${i}:1`, weight));

function routeTo(own: readonly Endpoint[]): Route<Endpoint> {
  return routeOf([{ priority: 0, localZone: own, otherZones: [] }], { panicThreshold: 50, overprovisioningFactor: 2 });
}

const CONFIGS: readonly PolicyConfig[] = [
  { name: 'least_request' },
  { name: 'adaptive' },
  { name: 'peak_ewma' },
  { name: 'hot_cold' },
  { name: 'round_robin' },
  { name: 'random' },
  { name: 'weighted_round_robin', weights: 'fixed' },
  { name: 'weighted_round_robin', weights: 'reported' },
];

/** Places calls one after the other, with a constant number in flight. */
class Calls {
  readonly #random = seededRandom(2);
  readonly #policy;
  readonly #open: Endpoint[] = [];

  constructor(
    config: PolicyConfig,
    private readonly inFlight: number,
  ) {
    this.#policy = createPolicy(config, seededRandom(1), new FakeClock());
  }

  chooseAmong(own: readonly Endpoint[]): Choice<Endpoint> {
    return new Choice(routeTo(own), this.#policy, this.#random);
  }

  place(choice: Choice<Endpoint>): Endpoint {
    if (this.#open.length === this.inFlight) this.#open.shift()!.inFlight--;
    const picked = choice.pick(UNKNOWN_CALL, [])!;
    picked.inFlight++;
    this.#open.push(picked);
    return picked;
  }

  /** The number of calls of each endpoint. */
  tally(own: readonly Endpoint[], calls: number): number[] {
    const choice = this.chooseAmong(own);
    const counts = new Map(own.map((each) => [each, 0]));
    for (let i = 0; i < calls; i++) {
      const picked = this.place(choice);
      counts.set(picked, counts.get(picked)! + 1);
    }
    return [...counts.values()];
  }
}

const WARMTHS = [0.05, 0.1, 0.25, 0.5, 0.75, 1];
const CALLS = 2000;

describe.each(CONFIGS.map((config) => [Object.values(config).join(' '), config] as const))('%s', (_name, config) => {
  const ignoresWeights = config.name === 'round_robin' || ('weights' in config && config.weights === 'reported');
  /** Ignores calls in flight, so randomness shows: three standard deviations of 1500 draws are 0.12 of a share. */
  const blind = ignoresWeights || 'weights' in config || config.name === 'random';
  /** Its share of the calls when all are warm. */
  const shareOf = (own: readonly Endpoint[], of: Endpoint): number =>
    ignoresWeights ? 1 / own.length : of.weight / own.reduce((sum, { weight }) => sum + weight, 0);

  /** The part of its share that the last endpoint, the newcomer, gets at each warmth. */
  function partsOf(weights: readonly number[]): number[] {
    const own = endpoints(weights);
    const newcomer = own.at(-1)!;
    const calls = new Calls(config, 8);
    return WARMTHS.map((each) => {
      newcomer.warmth = each;
      return calls.tally(own, CALLS).at(-1)! / CALLS / shareOf(own, newcomer);
    });
  }

  test.each([
    ['of weight 1 beside three of weight 1', [1, 1, 1, 1]],
    ['of weight 1 beside one of weight 3', [3, 1]],
    ['of weight 1 beside two of weight 3', [3, 3, 1]],
    ['of weight 2 beside three of weight 3', [3, 3, 3, 2]],
  ])('a newcomer %s gets a growing part of its share', (_which, weights) => {
    const parts = partsOf(weights);
    const told = parts.map((part) => part.toFixed(2)).join(' ');
    parts.forEach((part, i) => {
      expect(part, told).toBeGreaterThan((parts[i - 1] ?? 0) - 0.05);
      // At most the ramp, plus noise, what exceeds the bound of the others, and the relief of busy ones.
      expect(part, told).toBeLessThan(Math.max(WARMTHS[i]!, 0.5) + 0.12);
    });
    // It keeps growing, although a call that finds it busier than another goes to the other.
    expect(parts[3], told).toBeGreaterThan(0.28);
    expect(parts[4], told).toBeGreaterThan(0.42);
    expect(parts[5], told).toBeGreaterThan(0.85);
  });

  test('a newcomer of weight 3 beside one of weight 1 gets what exceeds the bound of the light one from the start', () => {
    const parts = partsOf([1, 3]);
    const told = parts.map((part) => part.toFixed(2)).join(' ');
    // At most 1.5 times a quarter, and at most 1.5 times a half where weights are ignored.
    for (const part of parts) expect(part, told).toBeGreaterThan(ignoresWeights ? 0.45 : 0.78);
    for (const part of parts) expect(part, told).toBeLessThan(1.05);
  });

  test.each([[[1, 1]], [[1, 1, 1]], [[1, 1, 1, 1, 1]], [[3, 1]], [[1, 3]], [[2, 1, 2, 1]]])(
    'with weights %j no endpoint gets more than 1.5 times its share, however many others are in slow start',
    (weights) => {
      for (const cold of [0.05, 0.6]) {
        for (let warm = 1; warm < weights.length; warm++) {
          const own = endpoints(weights);
          for (const each of own.slice(warm)) each.warmth = cold;
          new Calls(config, 8).tally(own, CALLS).forEach((count, i) => {
            const times = count / CALLS / shareOf(own, own[i]!);
            expect(times, `endpoint ${i}, ${warm} warm, the rest at ${cold}`).toBeLessThan(1.6);
          });
        }
      }
    },
  );

  test('in a rolling restart every 2 s no endpoint gets more than 1.5 times the mean', () => {
    const [RATE, AWAY_MS, INTERVAL_MS, WINDOW_MS] = [300, 500, 2000, 5000];
    const options = effectiveSlowStart();
    const own = endpoints([1, 1, 1, 1, 1]);
    const calls = new Calls(config, 6);
    const goes = (i: number): number => i * INTERVAL_MS;
    const isUp = (i: number, at: number): boolean => at < goes(i) || at >= goes(i) + AWAY_MS;
    /** The endpoint of each call, and those that were up. */
    const placed: { readonly at: number; readonly to: Endpoint; readonly up: readonly Endpoint[] }[] = [];
    let choice = calls.chooseAmong(own);
    let up: Endpoint[] = [];
    let warmBefore = own.length;
    for (let at = 0; at < 22_000; at += 1000 / RATE) {
      own.forEach((each, i) => {
        each.warmth = at < goes(i) ? 1 : warmth(at - goes(i) - AWAY_MS, options);
      });
      const now = own.filter((_, i) => isUp(i, at));
      const warm = own.filter((each) => each.warmth === 1).length;
      const changed = now.length !== up.length || now.some((each, i) => each !== up[i]);
      if (changed || warm !== warmBefore) choice = calls.chooseAmong((up = now));
      warmBefore = warm;
      placed.push({ at, to: calls.place(choice), up });
    }
    for (let from = 0; from + WINDOW_MS <= 22_000; from += 500) {
      const window = placed.filter(({ at }) => at >= from && at < from + WINDOW_MS);
      for (const each of own) {
        const mean = window.reduce((sum, { up: all }) => sum + (all.includes(each) ? 1 / all.length : 0), 0);
        const times = window.filter(({ to }) => to === each).length / mean;
        expect(times, `${each.key} from ${from} ms on`).toBeLessThan(blind ? 1.62 : 1.5);
      }
    }
  });

  test('the chances add up to 1, and are at most 1.5 times the share', () => {
    for (const weights of [
      [1, 1],
      [1, 3],
      [1, 2, 3, 4, 5],
    ]) {
      for (const cold of WARMTHS) {
        const own = endpoints(weights);
        for (const each of own.slice(1)) each.warmth = cold;
        const policy = createPolicy(config, seededRandom(1), new FakeClock());
        const chances = chancesOf(routeTo(own), policy, () => 0);
        expect(chances.reduce((sum, [, chance]) => sum + chance, 0)).toBeCloseTo(1, 9);
        if (!blind || config.name === 'round_robin') continue;
        chances.forEach(([key, chance, ramp], i) => {
          const share = shareOf(own, own[i]!);
          expect(chance, key).toBeLessThan(1.5 * share + 1e-9);
          // The reported ramp is the part of its share that the endpoint gets.
          expect(ramp < 1 ? chance : ramp * share, key).toBeCloseTo(ramp * share, 9);
        });
      }
    }
  });
});
