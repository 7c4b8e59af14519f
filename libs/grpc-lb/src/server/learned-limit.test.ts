import { describe, expect, test } from 'vitest';
import { CRITICALITY_LEVELS, type CriticalityLevel } from '../core/call/criticality.js';
import { seededRandom } from '../core/random.js';
import { LearnedLimit } from './learned-limit.js';

/** What a refused call costs the event loop, in milliseconds. */
const REFUSAL_MS = 0.1;

interface Load {
  /** Milliseconds that each call blocks the event loop. */
  readonly block: number;
  /** What is offered, as a share of what the event loop can do. */
  readonly offered: number;
  readonly seconds: number;
  /** Of each level, as a share of what the event loop can do; the rest is `critical`. */
  readonly levels?: Partial<Record<CriticalityLevel, number>>;
}

interface Shown {
  /** Served, as a share of what the event loop can do. */
  readonly served: number;
  readonly refused: number;
  /** Milliseconds from the arrival in the kernel to the answer. */
  readonly p99: number;
  /** The share of the calls of each level that was served. */
  readonly of: Record<CriticalityLevel, number>;
}

/** A server whose event loop takes what has arrived in the meantime, turn by turn. */
class Loop {
  now = 0;
  readonly #random: () => number;

  constructor(
    seed = 7,
    readonly limit = new LearnedLimit(20),
  ) {
    this.#random = seededRandom(seed);
  }

  run({ block, offered, seconds, levels = {} }: Load): Shown {
    const perMs = offered / block;
    const end = this.now + seconds * 1000;
    const latencies: number[] = [];
    const counts = Object.fromEntries(CRITICALITY_LEVELS.map((level) => [level, [0, 0]])) as Record<
      CriticalityLevel,
      [number, number]
    >;
    let refused = 0;
    let next = this.now;
    while (this.now < end) {
      this.now = Math.max(this.now, next);
      const began = this.now;
      let working = 0;
      for (const batchEnd = began; next <= batchEnd; next += -Math.log(1 - this.#random()) / perMs) {
        const level = this.#level(offered, levels);
        counts[level][1]++;
        if (!this.limit.admits(working, level)) {
          this.limit.refused(began);
          refused++;
          this.now += REFUSAL_MS;
          continue;
        }
        this.limit.admitted(working++, level);
        counts[level][0]++;
        latencies.push(began + working * block - next);
      }
      this.now += working * block;
      this.limit.measured(this.now - began, 0, this.now);
    }
    const sorted = Float64Array.from(latencies).toSorted();
    return {
      served: (latencies.length * block) / (seconds * 1000),
      refused,
      p99: sorted[Math.floor(0.99 * sorted.length)]!,
      of: Object.fromEntries(
        CRITICALITY_LEVELS.map((level) => [level, counts[level][0] / counts[level][1]]),
      ) as Shown['of'],
    };
  }

  #level(offered: number, levels: Partial<Record<CriticalityLevel, number>>): CriticalityLevel {
    let at = this.#random() * offered;
    for (const [level, share] of Object.entries(levels)) if ((at -= share) < 0) return level as CriticalityLevel;
    return 'critical';
  }
}

describe.each([5, 20, 60])('a server whose calls block it for %i ms', (block) => {
  test('serves in an overload what it can, and answers within twice the usual time', () => {
    const loop = new Loop();
    const normal = loop.run({ block, offered: 0.7, seconds: 60 });
    // How it gets there is measured elsewhere.
    loop.run({ block, offered: 3, seconds: 5 });
    const overload = loop.run({ block, offered: 3, seconds: 60 });
    expect(overload.served).toBeGreaterThan(0.95);
    expect(overload.p99).toBeLessThan(2 * normal.p99);
    loop.run({ block, offered: 0.3, seconds: 10 });
    const after = loop.run({ block, offered: 0.7, seconds: 60 });
    expect(after.served).toBeGreaterThan(0.65);
    expect(after.p99).toBeLessThan(1.5 * normal.p99);
  });

  test('refuses the least important calls first', () => {
    const levels = { critical: 0.45, sheddable_plus: 1.25, sheddable: 1.3 };
    for (const seed of [2, 3, 4, 5, 6, 7]) {
      const { of, served } = new Loop(seed).run({ block, offered: 3, seconds: 60, levels });
      expect(served).toBeGreaterThan(0.95);
      expect(of.critical, `seed ${seed}`).toBeGreaterThanOrEqual(0.98);
      expect(of.sheddable_plus).toBeGreaterThan(of.sheddable);
    }
    const plus = new Loop().run({ block, offered: 3, seconds: 60, levels: { critical_plus: 0.45, critical: 2.55 } });
    expect(plus.of.critical_plus).toBeGreaterThanOrEqual(0.98);
    expect(plus.of.critical).toBeLessThan(0.3);
  });
});

test('nothing is refused at a load that the server can bear', () => {
  expect(new Loop().run({ block: 5, offered: 0.4, seconds: 600 }).refused).toBe(0);
});

/** Turns of the event loop with so many calls at a time. */
function turns(
  limit: LearnedLimit,
  count: number,
  { calls, turn, lag = 0, from }: Record<'calls' | 'turn' | 'from', number> & { lag?: number },
): number {
  let now = from;
  for (let i = 0; i < count; i++) {
    for (let working = 0; working < calls; working++) if (limit.admits(working, 'critical')) limit.admitted(working);
    limit.measured(turn, lag, (now += turn));
  }
  return now;
}

describe('a limit', () => {
  test('comes with a delay that stands for a tenth of a second, not with a stall', () => {
    const limit = new LearnedLimit(20);
    const from = turns(limit, 100, { calls: 10, turn: 5, from: 0 });
    const later = turns(limit, 1, { calls: 10, turn: 2000, from });
    expect(limit.value).toBe(Infinity);
    turns(limit, 1, { calls: 10, turn: 5, from: later });
    const again = turns(limit, 3, { calls: 100, turn: 50, from: later + 5 });
    expect(limit.value).toBeLessThan(50);
    expect(again).toBeGreaterThan(0);
  });

  test('comes with a late timer too: what blocks the event loop need not be the turn of the arrival', () => {
    const limit = new LearnedLimit(20);
    const from = turns(limit, 100, { calls: 10, turn: 5, from: 0 });
    turns(limit, 40, { calls: 10, turn: 5, lag: 80, from });
    expect(limit.value).toBeLessThan(10);
  });

  test('is not cut again until calls have been admitted under it, and is forgotten when nothing is refused', () => {
    const limit = new LearnedLimit(20);
    turns(limit, 5, { calls: 100, turn: 50, from: 0 });
    const { value } = limit;
    for (let i = 0; i < 10; i++) limit.measured(50, 0, 300 + i);
    expect(limit.value).toBe(value);
    limit.measured(1, 0, 10_200);
    expect(limit.value).toBe(value);
    limit.measured(1, 0, 10_300);
    expect(limit.value).toBe(Infinity);
  });

  test('grows while calls are refused for nothing', () => {
    const limit = new LearnedLimit(20);
    turns(limit, 5, { calls: 100, turn: 50, from: 0 });
    const { value } = limit;
    limit.refused(300);
    limit.measured(5, 0, 301);
    expect(limit.value).toBeGreaterThan(value);
  });

  test('of a server whose single call takes long lets four of them queue', () => {
    const limit = new LearnedLimit(20);
    turns(limit, 100, { calls: 1, turn: 100, from: 0 });
    turns(limit, 20, { calls: 3, turn: 300, from: 10_000 });
    expect(limit.value).toBe(Infinity);
  });

  test('always admits a call of an idle server', () => {
    const limit = new LearnedLimit(1);
    turns(limit, 1000, { calls: 100, turn: 5000, from: 0 });
    for (const level of CRITICALITY_LEVELS) expect(limit.admits(0, level)).toBe(true);
  });
});
