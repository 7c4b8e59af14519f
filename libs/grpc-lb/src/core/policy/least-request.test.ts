import { describe, expect, test } from 'vitest';
import { fill, hosts, scripted } from '../../../../../test/properties/hosts.js';
import { expectShares, expectUniform, tally } from '../../../../../test/properties/statistics.js';
import { randomBelow, seededRandom } from '../random.js';
import { FULL_SCAN_LIMIT, SAMPLE_SIZE } from './sample.js';
import { LeastRequest } from './least-request.js';

const two = { choiceCount: 2 };
const DRAWS = 30_000;

describe('two distinct choices', () => {
  test.each([
    ['first', [10, 0, 0], [0, 1 / 2, 1 / 2]],
    ['second', [0, 10, 0], [1 / 2, 0, 1 / 2]],
    ['last', [0, 0, 10], [1 / 2, 1 / 2, 0]],
  ])('split three hosts, the %s with 10 active, 50/50/0', (_, inFlight, shares) => {
    const policy = new LeastRequest(two, seededRandom(1));
    const candidates = hosts(inFlight);
    expectShares(
      tally(3, DRAWS, () => policy.pick(candidates)),
      shares,
    );
    const chances = policy.chances(candidates);
    shares.forEach((share, i) => expect(chances[i]).toBeCloseTo(share, 12));
  });

  test('send all calls to the free one of two hosts', () => {
    const candidates = hosts([1, 0]);
    for (const options of [two, {}]) {
      const policy = new LeastRequest(options, seededRandom(1));
      expect(tally(2, 1000, () => policy.pick(candidates))).toEqual([0, 1000]);
      expect(policy.chances(candidates)).toEqual([0, 1]);
    }
  });

  test('pick the second one only if it has strictly fewer calls, and the one drawn first on a tie', () => {
    // Each draw swaps an index to the front: 0.5 of 3 is index 1, then 0.6 of the remaining two is the last of them.
    const random = scripted(0.5, 0.6, 0.5, 0.6, 0.5, 0.6);
    const policy = new LeastRequest(two, random);
    const candidates = hosts([1, 1, 1]);
    // In the order 0 1 2: first 1, then 2.
    expect(policy.pick(candidates)).toBe(1);
    // In the order 1 2 0: first 2, then 0, which has fewer now.
    candidates[0]!.inFlight = 0;
    expect(policy.pick(candidates)).toBe(0);
    // In the order 2 0 1: first 0, then 1, which has more.
    expect(policy.pick(candidates)).toBe(0);
    expect(random.left()).toBe(0);
  });
});

describe('distinct samples', () => {
  test('with k choices never pick the k − 1 busiest, and always the least loaded when it is drawn', () => {
    const inFlight = [4, 1, 3, 0, 2];
    // Of 5 choose k samples, those whose least loaded has rank r: choose the other k − 1 from the 4 − r busier ones.
    const byRank: Record<number, readonly number[]> = {
      2: [4 / 10, 3 / 10, 2 / 10, 1 / 10, 0],
      3: [6 / 10, 3 / 10, 1 / 10, 0, 0],
      4: [4 / 5, 1 / 5, 0, 0, 0],
      5: [1, 0, 0, 0, 0],
      6: [1, 0, 0, 0, 0],
    };
    for (const [choiceCount, ranks] of Object.entries(byRank)) {
      const policy = new LeastRequest({ choiceCount: Number(choiceCount) }, seededRandom(2));
      const candidates = hosts(inFlight);
      const shares = inFlight.map((load) => ranks[load]!);
      expectShares(
        tally(5, DRAWS, () => policy.pick(candidates)),
        shares,
      );
      policy.chances(candidates).forEach((chance, i) => expect(chance).toBeCloseTo(shares[i]!, 12));
    }
  });

  test('by default compare all hosts up to the limit, and a few above', () => {
    const least = FULL_SCAN_LIMIT - 10;
    const loads = (n: number): number[] => Array.from({ length: n }, (_, i) => Math.abs(i - least));
    const scan = hosts(loads(FULL_SCAN_LIMIT));
    const all = new LeastRequest({}, seededRandom(3));
    expect(tally(scan.length, 1000, () => all.pick(scan))[least]).toBe(1000);

    const many = hosts(loads(FULL_SCAN_LIMIT + 1));
    const some = new LeastRequest({}, seededRandom(3));
    const counts = tally(many.length, DRAWS, () => some.pick(many));
    const share = SAMPLE_SIZE / many.length;
    expectShares([counts[least]!, DRAWS - counts[least]!], [share, 1 - share]);
    expect(some.chances(many)[least]).toBeCloseTo(share, 12);
  });

  test('with as many choices as hosts are a full scan, and draw only among ties', () => {
    for (const choiceCount of [3, 4, 1000]) {
      const random = scripted(0.99, 0);
      const policy = new LeastRequest({ choiceCount }, random);
      expect(policy.pick(hosts([2, 1, 2]))).toBe(1);
      expect(random.left()).toBe(2);
      expect(policy.pick(hosts([1, 2, 1]))).toBe(2);
      expect(policy.pick(hosts([1, 2, 1]))).toBe(0);
    }
  });
});

describe('ties', () => {
  const layouts = [
    [0, 0, 0, 5, 5, 5],
    [5, 0, 5, 0, 5, 0],
    [5, 5, 5, 0, 0, 0],
    [0, 5, 5, 5, 5, 0],
    [7, 7, 7, 7, 7, 7],
  ];

  test.each(layouts)('are equally likely at any position: %d %d %d %d %d %d', (...inFlight) => {
    const least = Math.min(...inFlight);
    // Five of six: with two idle hosts or more, every sample holds one.
    for (const options of [{}, { choiceCount: 5 }]) {
      const policy = new LeastRequest(options, seededRandom(4));
      const candidates = hosts(inFlight);
      const counts = tally(inFlight.length, DRAWS, () => policy.pick(candidates));
      expectUniform(counts.filter((_, i) => inFlight[i] === least));
      expect(counts.filter((_, i) => inFlight[i] !== least).every((count) => count === 0)).toBe(true);
    }
  });

  test('in samples of many hosts are equally likely', () => {
    const policy = new LeastRequest(two, seededRandom(5));
    const candidates = hosts(Array.from({ length: 12 }, () => 0));
    expectUniform(tally(12, DRAWS, () => policy.pick(candidates)));
  });
});

describe('live counters', () => {
  test.each([1, 2, 3, 4, 5])('100 picks in one tick over four idle hosts: 25 each (seed %d)', (seed) => {
    const candidates = hosts([0, 0, 0, 0]);
    fill(new LeastRequest({}, seededRandom(seed)), candidates, 100);
    expect(candidates.map(({ inFlight }) => inFlight)).toEqual([25, 25, 25, 25]);
  });

  test('fill idle hosts up to the level of the busy ones', () => {
    const candidates = hosts([0, 30, 10, 0]);
    fill(new LeastRequest({}, seededRandom(1)), candidates, 60);
    expect(candidates.map(({ inFlight }) => inFlight).toSorted((a, b) => a - b)).toEqual([23, 23, 24, 30]);
  });

  test('with two choices over four idle hosts stay close but not exact: the reason for the full scan', () => {
    const candidates = hosts([0, 0, 0, 0]);
    fill(new LeastRequest(two, seededRandom(1)), candidates, 100);
    const inFlight = candidates.map((host) => host.inFlight);
    // The busiest is never picked, so no host is ever two ahead of all others.
    expect(Math.max(...inFlight) - inFlight.toSorted((a, b) => b - a)[1]!).toBeLessThanOrEqual(1);
    expect(inFlight.reduce((sum, each) => sum + each, 0)).toBe(100);
  });
});

/**
 * Envoy gives each host the weight `weight / (active + 1)^bias` and shares calls out in that proportion. Here calls are
 * shared out while all are idle; then the same value puts the hosts in order, and the greatest wins. Envoy's 66.7/33.3
 * for weights 2:1 is thereby the share of the calls in flight, and of all calls.
 */
describe('weights', () => {
  test('2:1 fills from idle as heavy, (either), heavy, (either), ...: after each third call exactly 66.7/33.3', () => {
    for (const seed of [1, 2, 3]) {
      const candidates = hosts([0, 0], [2, 1]);
      const policy = new LeastRequest({}, seededRandom(seed));
      for (let rounds = 1; rounds <= 100; rounds++) {
        // (1 + 0) / 2 < 1 / 1, and then a tie at 1: either order of one more each.
        expect(fill(policy, candidates, 3).filter((i) => i === 0)).toHaveLength(2);
        expect(candidates.map(({ inFlight }) => inFlight)).toEqual([2 * rounds, rounds]);
      }
    }
  });

  test('2:1 with scripted random numbers', () => {
    // A draw by weight while both are idle, then only when both are equal: after the first call and after the fourth.
    const random = scripted(0.1, 0.9, 0.1);
    const candidates = hosts([0, 0], [2, 1]);
    expect(fill(new LeastRequest({}, random), candidates, 6)).toEqual([0, 1, 0, 0, 0, 1]);
    expect(random.left()).toBe(0);
  });

  test('2:1 with a steady number of calls in flight: 66.7/33.3 of all calls', () => {
    const random = seededRandom(6);
    const candidates = hosts([0, 0], [2, 1]);
    const policy = new LeastRequest({}, random);
    const running = fill(policy, candidates, 30);
    const picks = tally(2, DRAWS, () => {
      // A random call in flight ends, as if both hosts were equally fast.
      const ended = randomBelow(random, running.length);
      candidates[running[ended]!]!.inFlight--;
      const [picked] = fill(policy, candidates, 1);
      running[ended] = picked!;
      return picked!;
    });
    expectShares(picks, [2 / 3, 1 / 3]);
    expect(candidates.map(({ inFlight }) => inFlight)).toEqual([20, 10]);
  });

  test.each([
    ['while all are idle', {}, [0, 0]],
    ['whatever is in flight, if bias 0 ignores it', { activeRequestBias: 0 }, [9, 0]],
    ['also where few are compared otherwise', { choiceCount: 2 }, [0, 0]],
  ] as const)('2:1 shares calls out 66.7/33.3 %s', (_, config, inFlight) => {
    const policy = new LeastRequest(config, seededRandom(1));
    const candidates = hosts(inFlight, [2, 1]);
    expect(policy.chances(candidates)).toEqual([2 / 3, 1 / 3]);
    expectShares(
      tally(2, DRAWS, () => policy.pick(candidates)),
      [2 / 3, 1 / 3],
    );
  });

  test('if unequal compare all hosts, so that the few heavy ones are not missed', () => {
    const policy = new LeastRequest({ choiceCount: 2 }, scripted());
    expect(policy.pick(hosts([1, 1, 1, 1, 1], [1, 1, 9, 1, 1]))).toBe(2);
  });

  test.each([
    // (active + 1) / weight: 40 of the steps of 1/4 and 10 of the steps of 1 lie up to 10; the last of each ties.
    [1, [4, 1], 48, [39, 9]],
    [1, [1, 4], 48, [9, 39]],
    [1, [5, 3, 1], 90, [50, 30, 10]],
    // (active + 1)² / weight: equal at 20²/4 and 10²/1.
    [2, [4, 1], 28, [19, 9]],
    [2, [9, 4, 1], 57, [29, 19, 9]],
    [0.5, [2, 1], 18, [15, 3]],
  ] as const)('bias %d, weights %j: %d calls stand at %j', (activeRequestBias, weights, calls, expected) => {
    const candidates = hosts(
      Array.from(weights, () => 0),
      weights,
    );
    fill(new LeastRequest({ activeRequestBias }, seededRandom(7)), candidates, calls);
    expect(candidates.map(({ inFlight }) => inFlight)).toEqual(expected);
    expect(candidates.reduce((sum, { inFlight }) => sum + inFlight, 0)).toBe(calls);
  });

  test.each([0, 1, 2])(
    'equal weights, of whatever size, leave plain least request, with bias %d',
    (activeRequestBias) => {
      for (const weight of [1, 7, 4_294_967_295]) {
        const candidates = hosts([0, 0, 3], [weight, weight, weight]);
        fill(new LeastRequest({ activeRequestBias }, seededRandom(8)), candidates, 6);
        expect(candidates.map(({ inFlight }) => inFlight)).toEqual([3, 3, 3]);
      }
    },
  );

  test('are read again for a new list', () => {
    const policy = new LeastRequest({}, seededRandom(9));
    expect(policy.pick(hosts([0, 1], [1, 1]))).toBe(0);
    expect(policy.pick(hosts([0, 1], [1, 9]))).toBe(1);
    expect(policy.pick(hosts([0, 1], [9, 9]))).toBe(0);
  });

  test('give a failing host less than its share while all are idle', () => {
    const policy = new LeastRequest({}, seededRandom(3));
    const candidates = hosts([0, 0], [2, 1]);
    expect(policy.chances(candidates)).toEqual([2 / 3, 1 / 3]);
    candidates[0]!.failureFactor = 4;
    expect(policy.chances(candidates)).toEqual([1 / 3, 2 / 3]);
    expectShares(
      tally(2, DRAWS, () => policy.pick(candidates)),
      [1 / 3, 2 / 3],
    );
  });

  test('once equal again let the load decide', () => {
    const policy = new LeastRequest({ activeRequestBias: 0 }, scripted(0.9));
    expect(policy.pick(hosts([0, 5], [1, 2]))).toBe(1);
    expect(policy.pick(hosts([0, 5], [2, 2]))).toBe(0);
    expect(policy.pick(hosts([5, 0], [2, 2]))).toBe(1);
  });
});
