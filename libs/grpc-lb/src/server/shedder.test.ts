import { Metadata } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { CRITICALITY_KEY, CRITICALITY_LEVELS, type CriticalityLevel } from '../core/call/criticality.js';
import { seededRandom } from '../core/random.js';
import type { Refusal } from './refusal.js';
import { LATER, Shedder } from './shedder.js';

/** What a refused call costs the event loop, in milliseconds. */
const REFUSAL_MS = 0.1;

const METADATA = Object.fromEntries(
  CRITICALITY_LEVELS.map((level) => {
    const metadata = new Metadata();
    metadata.set(CRITICALITY_KEY, level);
    return [level, metadata];
  }),
) as Record<CriticalityLevel, Metadata>;

interface Load {
  /** Milliseconds that each call blocks the event loop. */
  readonly block: number;
  /** What is offered, as a share of what the event loop can do. */
  readonly offered: number;
  readonly seconds: number;
  /** Of each level, as a share of what the event loop can do; the rest is `critical`. */
  readonly levels?: Partial<Record<CriticalityLevel, number>>;
  readonly connections?: number;
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

interface Call {
  readonly at: number;
  readonly level: CriticalityLevel;
  readonly connection: number;
}

/** A server whose event loop takes what has arrived in the meantime, turn by turn, and connection by connection. */
class Loop {
  now = 0;
  readonly #random: () => number;
  #idle = 0;
  readonly shedder: Shedder;

  constructor(seed = 7) {
    this.#random = seededRandom(seed);
    const options = { maxEventLoopDelay: 20, maxConcurrent: 'auto', trustCriticality: true } as const;
    this.shedder = new Shedder(
      options,
      () => this.now,
      () => this.#idle,
    );
  }

  run({ block, offered, seconds, levels = {}, connections = 1 }: Load): Shown {
    const { shedder } = this;
    const perMs = offered / block;
    const end = this.now + seconds * 1000;
    const latencies: number[] = [];
    const counts = Object.fromEntries(CRITICALITY_LEVELS.map((level) => [level, [0, 0]])) as Record<
      CriticalityLevel,
      [number, number]
    >;
    let refused = 0;
    /** Those that were postponed in the last turn; they run first in this one. */
    const late: Call[] = [];
    const admit = ({ level }: Call): void => {
      counts[level][0]++;
      shedder.started();
    };
    const served = (calls: readonly Call[]): void => {
      this.now += calls.length * block;
      for (const _ of calls) shedder.ended();
    };
    let next = this.now;
    while (this.now < end) {
      if (late.length === 0 && next > this.now) {
        this.#idle += next - this.now;
        this.now = next;
      }
      const began = this.now;
      served(late);
      for (const { at } of late.splice(0)) latencies.push(this.now - at);
      const batch: Call[] = [];
      for (const batchEnd = this.now; next <= batchEnd; next += -Math.log(1 - this.#random()) / perMs) {
        const level = this.#level(offered, levels);
        batch.push({ at: next, level, connection: Math.floor(this.#random() * connections) });
        counts[level][1]++;
      }
      const answered: Call[] = [];
      for (const calls of byConnection(batch)) {
        const admitted = calls.filter((call) => {
          const metadata = METADATA[call.level];
          const refusal = shedder.refuses(metadata);
          const decided = (later: Refusal | undefined): void => {
            if (later) refused++;
            else {
              admit(call);
              late.push(call);
            }
          };
          if (refusal === LATER) shedder.postpone(metadata, decided);
          else if (refusal) refused++;
          else admit(call);
          if (refusal) this.now += REFUSAL_MS;
          return !refusal;
        });
        served(admitted);
        answered.push(...admitted);
      }
      for (const { at } of answered) latencies.push(this.now - at);
      shedder.measured(this.now - began, 0);
    }
    served(late);
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

function byConnection(calls: readonly Call[]): Iterable<Call[]> {
  const groups = new Map<number, Call[]>();
  for (const call of calls) {
    const known = groups.get(call.connection);
    if (known) known.push(call);
    else groups.set(call.connection, [call]);
  }
  return groups.values();
}

describe.each([1, 50])('with %i connections', (connections) => {
  describe.each([5, 20, 60])('a server whose calls block it for %i ms', (block) => {
    test('serves in an overload what it can, and answers within twice the usual time', () => {
      const loop = new Loop();
      const normal = loop.run({ block, offered: 0.7, seconds: 60, connections });
      // How it gets there is measured elsewhere.
      loop.run({ block, offered: 3, seconds: 5, connections });
      const overload = loop.run({ block, offered: 3, seconds: 60, connections });
      expect(overload.served).toBeGreaterThan(0.93);
      expect(overload.p99).toBeLessThan(1.6 * normal.p99);
      loop.run({ block, offered: 0.3, seconds: 10, connections });
      const after = loop.run({ block, offered: 0.7, seconds: 60, connections });
      expect(after.served).toBeGreaterThan(0.65);
      expect(after.p99).toBeLessThan(1.5 * normal.p99);
    });

    test('serves important calls, whatever is asked for below', () => {
      const levels = { critical: 0.45, sheddable_plus: 1.25, sheddable: 1.3 };
      for (const seed of [2, 3, 4, 5, 6, 7]) {
        const loop = new Loop(seed);
        loop.run({ block, offered: 3, seconds: 5, levels, connections });
        const { of, served, p99 } = loop.run({ block, offered: 3, seconds: 60, levels, connections });
        expect(served).toBeGreaterThan(0.93);
        expect(of.critical, `seed ${seed}`).toBeGreaterThanOrEqual(0.985);
        expect(of.sheddable_plus).toBeGreaterThan(3 * of.sheddable);
        expect(p99).toBeLessThan(8 * block);
      }
      const plus = { critical_plus: 0.45, critical: 2.55 };
      const { of } = new Loop().run({ block, offered: 3, seconds: 60, levels: plus, connections });
      expect(of.critical_plus).toBeGreaterThanOrEqual(0.985);
      expect(of.critical).toBeLessThan(0.3);
    });
  });
});

test('nothing is refused at a load that the server can bear', () => {
  expect(new Loop().run({ block: 5, offered: 0.4, seconds: 600 }).refused).toBe(0);
});

test('a postponed call whose decision throws leaves the others theirs', () => {
  const thrown: (() => void)[] = [];
  vi.stubGlobal('queueMicrotask', (run: () => void) => void thrown.push(run));
  onTestFinished(() => void vi.unstubAllGlobals());
  const shedder = new Shedder({ maxEventLoopDelay: 20, maxConcurrent: 'auto', trustCriticality: true });
  const decided: string[] = [];
  for (const name of ['a', 'b', 'c'])
    shedder.postpone(new Metadata(), () => {
      decided.push(name);
      if (name === 'a') throw new Error('an interceptor');
    });
  shedder.measured(1, 0);
  expect(decided).toEqual(['a', 'b', 'c']);
  expect(thrown).toHaveLength(1);
  expect(thrown[0]).toThrow('an interceptor');
});
