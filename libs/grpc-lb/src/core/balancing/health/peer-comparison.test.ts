import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../../test/support/time/fake-clock.js';
import { effectiveEjection } from '../../options/ejection-options.js';
import { effectiveSlowStart } from '../../options/slow-start-options.js';
import { seededRandom } from '../../random.js';
import { PassiveHealth, type PassiveHealthOwner } from './passive-health.js';
import { PeerComparison } from './peer-comparison.js';
import type { ResultKind } from './recent-results.js';

/** A minimal owner of passive health. */
class Endpoint implements PassiveHealthOwner {
  readonly connected = true;
  failureFactor = 1;
  passiveHealth!: PassiveHealth;
  ejections = 0;
  calls = 0;

  get serves(): boolean {
    return this.healthy;
  }

  get healthy(): boolean {
    return !this.passiveHealth.ejected;
  }

  ejectionChanged(): void {
    if (this.passiveHealth.ejected && !this.passiveHealth.wantsProbe) this.ejections++;
    else this.passiveHealth.startSlowly(true);
  }

  askReport(): () => void {
    return () => {};
  }

  warmedUp(): void {}
}

/** The result of a call to the endpoint with that index. */
type Fate = (index: number) => ResultKind;

class Pool {
  readonly clock = new FakeClock();
  readonly random: () => number;
  readonly endpoints: Endpoint[];
  readonly peers = new PeerComparison(this.clock, () => this.ejection);
  readonly ejection = effectiveEjection();

  constructor(count: number, seed = 1) {
    this.random = seededRandom(seed);
    this.endpoints = Array.from({ length: count }, () => {
      const endpoint = new Endpoint();
      const { clock, random, ejection, peers } = this;
      const loadBalancing = { ejection, slowStart: effectiveSlowStart() };
      endpoint.passiveHealth = new PassiveHealth({ clock, random, loadBalancing }, endpoint, peers);
      return endpoint;
    });
  }

  /** Makes `calls` calls, `gap` milliseconds apart, each to a random pickable endpoint. */
  run(calls: number, fate: Fate, gap = 3): void {
    for (let i = 0; i < calls; i++) {
      this.clock.advance(gap);
      const now = this.clock.now();
      const probed = this.endpoints.find(({ passiveHealth }) => passiveHealth.wantsProbe);
      const pickable = this.endpoints.filter(({ healthy }) => healthy);
      const endpoint = probed ?? pickable[Math.floor(this.random() * pickable.length)]!;
      endpoint.calls++;
      endpoint.passiveHealth.record(fate(this.endpoints.indexOf(endpoint)), now, now, endpoint === probed);
    }
  }

  get ejected(): number[] {
    return this.endpoints.flatMap(({ healthy }, i) => (healthy ? [] : [i]));
  }

  /** The calls of the busiest endpoint since the last check, relative to an even share. */
  busiest(): number {
    const counts = this.endpoints.map(({ calls }) => calls);
    for (const endpoint of this.endpoints) endpoint.calls = 0;
    return (Math.max(...counts) / counts.reduce((sum, count) => sum + count, 0)) * counts.length;
  }

  fails(share: number, of: readonly number[] | 'all' = 'all', kind: ResultKind = 'failed'): Fate {
    return (index) => ((of === 'all' || of.includes(index)) && this.random() < share ? kind : 'ok');
  }
}

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const healthy: Fate = () => 'ok';

describe('a failure of all endpoints', () => {
  test.each([2, 3, 4, 5, 8, 100])('with half of the calls to %i endpoints ejects none of them for good', (count) => {
    for (const seed of SEEDS.slice(0, count > 10 ? 2 : undefined)) {
      const pool = new Pool(count, seed);
      pool.run(300 * count, healthy);
      pool.busiest();
      pool.run(600 * count, pool.fails(0.5));
      expect(pool.busiest(), `seed ${seed}`).toBeLessThan(1.3);
      pool.run(100 * count, healthy);
      expect(pool.ejected, `seed ${seed}`).toEqual([]);
    }
  });

  test('with 30 % UNKNOWN on eight endpoints from the first call on ejects none of them for good', () => {
    for (const seed of SEEDS) {
      const pool = new Pool(8, seed);
      pool.run(5000, pool.fails(0.3));
      expect(pool.ejected, `seed ${seed}`).toEqual([]);
      expect(pool.endpoints.map(({ ejections }) => ejections).reduce((a, b) => a + b)).toBeLessThanOrEqual(1);
    }
  });

  test.each([2, 3, 5])('with every call to %i endpoints ejects none of them', (count) => {
    for (const seed of SEEDS) {
      const pool = new Pool(count, seed);
      pool.run(1000, healthy);
      pool.run(2000, pool.fails(1));
      pool.clock.advance(20);
      expect(pool.ejected, `seed ${seed}`).toEqual([]);
      // No endpoint is penalized for failures that all have.
      expect(pool.endpoints.map(({ failureFactor }) => failureFactor)).toEqual(pool.endpoints.map(() => 1));
    }
  });

  test('with timeouts ejects none, and those that recover later than the others only after a while', () => {
    const pool = new Pool(5);
    pool.run(1000, healthy);
    pool.run(1000, pool.fails(0.9, 'all', 'timed_out'));
    pool.run(500, pool.fails(1, [3, 4], 'timed_out'));
    expect(pool.ejected).toEqual([]);
    for (const { failureFactor } of pool.endpoints) expect(failureFactor).toBe(1);
    // It times out for longer than the others need to recover: it is broken.
    pool.run(4000, pool.fails(1, [4], 'timed_out'));
    expect(pool.ejected).toEqual([4]);
  });
});

describe('an endpoint that is worse than the others', () => {
  test.each([2, 3, 4, 5, 20])('and fails every call is ejected after two failures (one of %i)', (count) => {
    for (const seed of SEEDS.slice(0, 5)) {
      const pool = new Pool(count, seed);
      pool.run(1200 * count, healthy, 1);
      pool.busiest();
      pool.run(20 * count, pool.fails(1, [0]), 1);
      expect(pool.ejected, `seed ${seed}`).toEqual([0]);
      expect(pool.endpoints[0]!.calls).toBe(2);
    }
  });

  test.each([2, 5])('and has no record yet is ejected after five failures (one of %i)', (count) => {
    for (const seed of SEEDS) {
      const pool = new Pool(count, seed);
      pool.run(100, pool.fails(1, [0]));
      expect(pool.ejected).toEqual([0]);
      expect(pool.endpoints[0]!.calls).toBe(5);
    }
  });

  test('is found even if all fail now and then', () => {
    for (const seed of SEEDS) {
      const pool = new Pool(5, seed);
      pool.run(2000, pool.fails(0.1));
      const fate: Fate = (index) => (index === 0 ? 'failed' : pool.fails(0.1)(index));
      pool.run(400, fate);
      expect(pool.ejected, `seed ${seed}`).toEqual([0]);
    }
  });

  test('may be two of three: one is ejected, and the other gets a high failure factor', () => {
    for (const seed of SEEDS) {
      const pool = new Pool(3, seed);
      pool.run(300, healthy);
      pool.run(100, pool.fails(1, [0, 1]));
      expect(pool.ejected, `seed ${seed}`).toHaveLength(1);
      expect(pool.ejected[0]).toBeLessThan(2);
      const ill = pool.endpoints[1 - pool.ejected[0]!]!;
      expect(ill.failureFactor).toBeGreaterThan(100);
      expect(pool.endpoints[2]!.failureFactor).toBe(1);
    }
  });

  test('may change every few seconds', () => {
    const pool = new Pool(5);
    pool.run(1000, healthy);
    for (let ill = 0; ill < 5; ill++) {
      pool.run(200, pool.fails(1, [ill]));
      expect(pool.ejected).toContain(ill);
      expect(pool.ejected.length).toBeLessThanOrEqual(2);
      pool.run(20_000, healthy, 10);
      expect(pool.ejected).toEqual([]);
    }
  });
});

describe('an ejection that was a mistake', () => {
  test('is withdrawn without a slow start when the others fail too', () => {
    const pool = new Pool(2);
    const [first, second] = pool.endpoints as [Endpoint, Endpoint];
    // A burst: the results of one connection arrive before those of the other.
    for (let i = 0; i < 10; i++) first.passiveHealth.record('failed', 0, 0, false);
    expect(pool.ejected).toEqual([0]);
    for (let i = 0; i < 10; i++) second.passiveHealth.record('failed', 0, 0, false);
    pool.clock.advance(10);
    expect(pool.ejected).toEqual([]);
    expect(first.passiveHealth.warmth).toBe(1);
  });

  test('leaves no timer behind', () => {
    const pool = new Pool(2);
    for (const { passiveHealth } of pool.endpoints)
      for (let i = 0; i < 10; i++) passiveHealth.record('failed', 0, 0, false);
    for (const { passiveHealth } of pool.endpoints) passiveHealth.close();
    expect(pool.clock.pendingTimers).toBe(0);
  });
});

describe('an endpoint that refuses calls', () => {
  const refusing = (share: (index: number) => number): Pool => {
    const pool = new Pool(5);
    pool.run(500, (index) => (pool.random() < share(index) ? 'refused' : 'ok'));
    return pool;
  };

  test('is found if it refuses more than the others, but not if all refuse as often', () => {
    const one = refusing((index) => (index === 0 ? 1 : 0));
    expect(one.endpoints.map(({ passiveHealth }) => one.peers.refusesMore(passiveHealth))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    const all = refusing(() => 0.9);
    expect(all.endpoints.map(({ passiveHealth }) => all.peers.refusesMore(passiveHealth))).not.toContain(true);
  });

  test('is not compared with removed endpoints', () => {
    const pool = refusing((index) => (index === 0 ? 0.5 : 1));
    for (const { passiveHealth } of pool.endpoints.slice(1)) passiveHealth.leave();
    expect(pool.peers.refusesMore(pool.endpoints[0]!.passiveHealth)).toBe(true);
  });
});

describe('after an outage of all, in which they return one each second', () => {
  /** An outage of those, for 10 s; then they return within 4 s, and 5 s pass. */
  function returns(seed: number, outage: readonly number[]): Pool {
    const pool = new Pool(5, seed);
    pool.run(300, () => 'ok', 10);
    const end = pool.clock.now() + 10_000;
    const isBack = (index: number): boolean => pool.clock.now() - end >= index * 1000;
    pool.run(1900, (index) => (outage.includes(index) && !isBack(index) ? 'failed' : 'ok'), 10);
    return pool;
  }

  test.each(SEEDS)('none is out and none starts slowly 5 s after the last is back (seed %d)', (seed) => {
    const { ejected, endpoints } = returns(seed, [0, 1, 2, 3, 4]);
    expect(ejected).toEqual([]);
    expect(endpoints.map(({ passiveHealth }) => passiveHealth.warmth)).toEqual([1, 1, 1, 1, 1]);
  });

  test.each([
    ['fade within 3 s after an outage of all', [0, 1, 2, 3, 4], true],
    ['do not if it has failed alone', [4], false],
  ])('the failures of one that fails for longer than the others, and gets no more calls, %s', (_, outage, soon) => {
    const pool = new Pool(5);
    pool.run(300, () => 'ok', 10);
    const [late, ...others] = pool.endpoints.toReversed() as [Endpoint, ...Endpoint[]];
    const call = ({ passiveHealth }: Endpoint, kind: ResultKind): void => {
      pool.clock.advance(100);
      passiveHealth.record(kind, pool.clock.now(), pool.clock.now(), false);
    };
    for (let round = 0; round < 6; round++)
      for (const [i, endpoint] of pool.endpoints.entries()) call(endpoint, outage.includes(i) ? 'failed' : 'ok');
    for (let round = 0; round < 10; round++) for (const endpoint of others) call(endpoint, 'ok');
    call(late, 'failed');
    for (let round = 0; round < 8; round++) for (const endpoint of others) call(endpoint, 'ok');
    expect(late.failureFactor === 1).toBe(soon);
  });

  test('but who fails alone is out for as long as ever', () => {
    const out = SEEDS.filter((seed) => {
      const { ejected, endpoints } = returns(seed, [4]);
      return ejected.length > 0 || endpoints.some(({ passiveHealth }) => passiveHealth.warmth < 1);
    });
    expect(out.length).toBeGreaterThan(SEEDS.length / 2);
  });
});
