import { describe, expect, test } from 'vitest';
import { fill, type Host, hosts } from '../../../../../test/properties/hosts.js';
import { expectShares, expectUniform, tally } from '../../../../../test/properties/statistics.js';
import { xxh64OfBytes } from '../hash/xxh64.js';
import type { RingHashConfig } from '../options/ring-hash-options.js';
import { seededRandom } from '../random.js';
import type { CallInfo } from './policy.js';
import { RingHash } from './ring-hash.js';

type Options = Omit<RingHashConfig, 'name' | 'by'>;

const call = (hashKey?: string): CallInfo => ({ method: '/s/m', stream: false, hashKey });
const SESSIONS = Array.from({ length: 5000 }, (_, i) => `session-${i}`);
const named = (...keys: string[]): Host[] => hosts(keys.map(() => 0)).map((host, i) => ({ ...host, key: keys[i]! }));
const create = (options: Options = {}): RingHash => new RingHash({ by: 'id', ...options }, seededRandom(1));
const idle = (n: number): Host[] => hosts(Array.from({ length: n }, () => 0));

/** The host of each session. */
function homes(policy: RingHash, list: readonly Host[]): string[] {
  return SESSIONS.map((session) => list[policy.pick(list, call(session))]!.key);
}

function moved(before: readonly string[], after: readonly string[]): number {
  return before.filter((host, i) => host !== after[i]).length / before.length;
}

describe.each([{ ring: 'steady' }, { ring: 'grpc' }] as const)('a session, ring $ring,', (options) => {
  const fresh = (): RingHash => new RingHash({ by: 'id', ...options }, seededRandom(1));

  test('has the same backend in every client, whatever other calls there are', () => {
    const list = idle(5);
    const policy = fresh();
    const before = homes(policy, list);
    fill(policy, list, 500, call());
    expect(homes(policy, list)).toEqual(before);
    // Another client knows the endpoints in another order.
    expect(homes(new RingHash({ by: 'id', ...options }, seededRandom(9)), list.toReversed())).toEqual(before);
    expect(new Set(before).size).toBe(5);
  });

  test('moves clockwise to the same backend each time its own is full or has failed', () => {
    const all = idle(6);
    const policy = fresh();
    const first = homes(policy, all);
    const second = SESSIONS.map((session, i) => {
      const others = all.filter((host) => host.key !== first[i]);
      return others[policy.pick(others, call(session))]!.key;
    });
    const others = all.slice(1);
    const ofFirst = (hosted: readonly string[]): string[] => hosted.filter((_, i) => first[i] === all[0]!.key);
    expect(ofFirst(second)).toEqual(ofFirst(homes(policy, others)));
    // All the others take them over, not a single one.
    expect(new Set(ofFirst(second)).size).toBe(5);
  });

  test('is not moved by lists that alternate', () => {
    const all = idle(4);
    const policy = fresh();
    const some = all.slice(1);
    const [ofAll, ofSome] = [homes(policy, all), homes(policy, some)];
    for (const session of SESSIONS.slice(0, 50)) {
      const i = SESSIONS.indexOf(session);
      expect(all[policy.pick(all, call(session))]!.key).toBe(ofAll[i]);
      expect(some[policy.pick(some, call(session))]!.key).toBe(ofSome[i]);
    }
  });
});

describe('a session', () => {
  test('moves once when its backend leaves, while no other session moves, and returns when it is back', () => {
    const all = idle(6);
    const policy = create();
    policy.members(all);
    const before = homes(policy, all);
    const without = all.filter((host) => host !== all[2]);
    const meanwhile = homes(policy, without);
    expect(moved(before, meanwhile)).toBe(before.filter((host) => host === all[2]!.key).length / before.length);
    // Discovery notices later, which moves no session.
    policy.members(without);
    expect(homes(policy, [...without])).toEqual(meanwhile);
    policy.members(all);
    expect(homes(policy, [...all])).toEqual(before);
  });

  test.each([2, 3, 4, 9])('keeps its backend when a backend joins %i, unless it moves to the new one', (n) => {
    const all = idle(n + 1);
    const policy = create();
    const before = homes(policy, all.slice(0, n));
    const after = homes(policy, all);
    expect(new Set(after.filter((host, i) => host !== before[i]))).toEqual(new Set([all[n]!.key]));
    expect(moved(before, after)).toBeLessThanOrEqual(1 / n);
    expectShares(
      [moved(before, after), 1 - moved(before, after)].map((share) => share * SESSIONS.length),
      [1 / (n + 1), n / (n + 1)],
    );
  });

  test('moves only to a backend whose weight has grown', () => {
    const all = idle(4);
    const before = homes(create(), all);
    const heavier = all.map((host, i) => (i === 1 ? { ...host, weight: 2 } : host));
    const after = homes(create(), heavier);
    expect(new Set(after.filter((host, i) => host !== before[i]))).toEqual(new Set([all[1]!.key]));
    // From 1/4 to 2/5.
    expect(moved(before, after)).toBeCloseTo(0.15, 1);
  });
});

describe('shares', () => {
  const countsOf = (list: readonly Host[], found: readonly string[]): number[] =>
    list.map(({ key }) => found.filter((each) => each === key).length);

  test('of sessions are fair', () => {
    for (const n of [2, 3, 10, 64]) {
      const list = idle(n);
      expectUniform(countsOf(list, homes(create(), list)));
    }
  });

  test('of the sessions of one backend are fair when it leaves', () => {
    const list = idle(10);
    const policy = create();
    const others = list.slice(1);
    const before = homes(policy, list);
    const meanwhile = homes(policy, others).filter((_, i) => before[i] === list[0]!.key);
    expectUniform(countsOf(others, meanwhile));
  });

  test('of sessions follow the weights', () => {
    const list = hosts([0, 0, 0], [4, 2, 1]);
    expectShares(countsOf(list, homes(create(), list)), [4 / 7, 2 / 7, 1 / 7]);
  });

  test.each([
    { ring: 'steady', weights: [1, 1, 1, 1] },
    { ring: 'steady', weights: [1, 5, 2, 100] },
    { ring: 'grpc', weights: [1, 1, 1, 1] },
    { ring: 'grpc', weights: [1, 5, 2, 100] },
  ] as const)('are what chances say, for calls without a key: $ring, $weights', ({ ring, weights }) => {
    const list = hosts([0, 3, 0, 1], weights);
    for (const boundedLoad of [undefined, 1.25]) {
      const policy = create({ ring, ...(boundedLoad && { boundedLoad }) });
      const chances = policy.chances(list);
      expect(chances.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 9);
      expectShares(
        tally(4, 20_000, () => policy.pick(list, call())),
        chances,
      );
    }
  });

  test('treat an empty key as no key (gRFC A76)', () => {
    const list = idle(3);
    const policy = create();
    expect(new Set(Array.from({ length: 50 }, () => policy.pick(list, call('')))).size).toBe(3);
  });
});

describe('bounded load', () => {
  test('keeps each backend at 1.25 times the mean, however skewed the keys', () => {
    const list = idle(8);
    const policy = create({ boundedLoad: 1.25 });
    for (let calls = 1; calls <= 800; calls++) {
      list[policy.pick(list, call('the only one'))]!.inFlight++;
      const most = Math.max(...list.map((host) => host.inFlight));
      expect(most).toBeLessThanOrEqual(Math.ceil((1.25 * calls) / 8));
    }
    expect(Math.max(...list.map((host) => host.inFlight))).toBe(125);
  });

  test('is by weight if weights differ', () => {
    const list = hosts([0, 0, 0], [2, 1, 1]);
    const policy = create({ boundedLoad: 1.5 });
    fill(policy, list, 400, call('the only one'));
    list.forEach(({ inFlight, weight }) => expect(inFlight).toBeLessThanOrEqual(Math.ceil((1.5 * 400 * weight) / 4)));
  });

  test('moves no session while there is room', () => {
    const list = idle(4);
    const [free, bounded] = [create(), create({ boundedLoad: 2 })];
    const before = homes(free, list);
    list.forEach((host) => (host.inFlight = 10));
    expect(homes(bounded, list)).toEqual(before);
  });

  test('sends the excess always to the same next backend', () => {
    const list = idle(4);
    const policy = create({ boundedLoad: 1.25 });
    const home = policy.pick(list, call('me'));
    list[home]!.inFlight = 100;
    const next = policy.pick(list, call('me'));
    expect(next).not.toBe(home);
    const others = list.filter((_, i) => i !== home);
    expect(others[policy.pick(others, call('me'))]).toBe(list[next]);
    expect(policy.chances(list)[home]).toBe(0);
  });

  test('does not limit the only backend', () => {
    const list = idle(1);
    expect(new Set(fill(create({ boundedLoad: 1.01 }), list, 100, call('me')))).toEqual(new Set([0]));
  });
});

/** gRFC A42 and A76 again, slow and plain, in integers of 64 bits. */
function plainRing(keys: readonly string[], weights: readonly number[], min: number, max: number): [bigint, string][] {
  const members = keys.map((key, i) => ({ key, weight: weights[i]! })).toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const lightest = Math.min(...weights) / total;
  const scale = Math.min(Math.ceil(lightest * min) / lightest, max);
  const ring: [bigint, string][] = [];
  let target = 0;
  for (const { key, weight } of members) {
    target += scale * (weight / total);
    for (let i = 0; ring.length < target; i++) ring.push([hash(`${key}_${i}`), key]);
  }
  return ring.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const hash = (text: string): bigint => xxh64OfBytes(new TextEncoder().encode(text));

describe("the ring of gRPC's other languages", () => {
  const KEYS = ['10.0.0.3:50051', '10.0.0.1:50051', '[2001:db8::1]:443', '10.0.0.12:50051', 'unix:/run/a'];

  test.each([
    { weights: [1, 1, 1, 1, 1], sizes: {} },
    { weights: [1, 2, 3, 4, 5], sizes: {} },
    { weights: [1, 1, 1, 1, 1], sizes: { minRingSize: 1, maxRingSize: 7 } },
    { weights: [9, 1, 1, 1, 200], sizes: { minRingSize: 100, maxRingSize: 300 } },
  ])('is equal to this one, with weights $weights and $sizes', ({ weights, sizes }) => {
    const list = named(...KEYS).map((host, i) => ({ ...host, weight: weights[i]! }));
    const policy = create({ ring: 'grpc', ...sizes });
    const ring = plainRing(KEYS, weights, sizes.minRingSize ?? 1024, sizes.maxRingSize ?? 4096);
    for (const session of SESSIONS) {
      const [, owner] = ring.find(([position]) => position >= hash(session)) ?? ring[0]!;
      expect(list[policy.pick(list, call(session))]!.key).toBe(owner);
    }
  });

  test('skips backends that are not pickable, without rebuilding', () => {
    const list = named(...KEYS);
    const policy = create({ ring: 'grpc' });
    policy.members(list);
    const before = homes(policy, list);
    const some = list.slice(2);
    const meanwhile = homes(policy, some);
    const away = before.filter((key) => !some.some((host) => host.key === key)).length;
    expect(moved(before, meanwhile)).toBe(away / before.length);
  });
});
