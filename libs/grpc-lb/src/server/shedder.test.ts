import { Metadata } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { CRITICALITY_KEY, CRITICALITY_LEVELS, type CriticalityLevel } from '../core/call/criticality.js';
import { seededRandom } from '../core/random.js';
import { MomentaryLag } from './momentary-lag.js';
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

/**
 * A server whose event loop takes what has arrived in the meantime, turn by turn, and connection by connection; what
 * immediates answer is written in the next check phase.
 */
class Loop {
  now = 0;
  readonly #random: () => number;
  #idle = 0;
  readonly #immediates: (() => void)[] = [];
  /** Calls whose handlers run when what starts them has returned. */
  readonly #started: Call[] = [];
  readonly #unsent: Call[] = [];
  readonly shedder: Shedder;
  readonly #lag: MomentaryLag;

  constructor(seed = 7) {
    this.#random = seededRandom(seed);
    const options = { maxEventLoopDelay: 20, maxConcurrent: 'auto', trustCriticality: true } as const;
    const now = (): number => this.now;
    const immediate = (callback: () => void): void => void this.#immediates.push(callback);
    this.shedder = new Shedder(options, now, () => this.#idle, immediate);
    this.#lag = new MomentaryLag(now, immediate, (turn) => this.shedder.measured(turn, 0));
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
    const write = (): void => {
      for (const { at } of this.#unsent.splice(0)) latencies.push(this.now - at);
    };
    const handle = (): void => {
      for (const call of this.#started.splice(0)) {
        this.now += block;
        shedder.ended();
        this.#unsent.push(call);
      }
    };
    const decided = (call: Call, refusal: Refusal | undefined): void => {
      this.#lag.sample();
      if (refusal) {
        refused++;
        this.now += REFUSAL_MS;
      } else {
        counts[call.level][0]++;
        shedder.started();
        this.#started.push(call);
      }
    };
    let next = this.now;
    while (this.now < end) {
      if (this.#immediates.length + this.#unsent.length === 0 && next > this.now) {
        this.#idle += next - this.now;
        this.now = next;
      }
      const batch: Call[] = [];
      for (const batchEnd = this.now; next <= batchEnd; next += -Math.log(1 - this.#random()) / perMs) {
        const level = this.#level(offered, levels);
        batch.push({ at: next, level, connection: Math.floor(this.#random() * connections) });
        counts[level][1]++;
      }
      for (const calls of byConnection(batch)) {
        for (const call of calls) {
          const metadata = METADATA[call.level];
          this.#lag.sample();
          const refusal = shedder.refuses(metadata);
          if (refusal === LATER) shedder.postpone(metadata, (later) => decided(call, later));
          else decided(call, refusal);
        }
        handle();
        write();
      }
      write();
      for (const callback of this.#immediates.splice(0)) {
        callback();
        handle();
      }
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
  describe.each([1, 5, 20, 60])('a server whose calls block it for %i ms', (block) => {
    // With calls of a millisecond, those that are shed take a sixth of the time.
    const least = block === 1 ? 0.75 : 0.93;
    test('serves in an overload what it can, and answers within twice the usual time', () => {
      const loop = new Loop();
      const normal = loop.run({ block, offered: 0.7, seconds: 60, connections });
      // How it gets there is measured elsewhere.
      loop.run({ block, offered: 3, seconds: 5, connections });
      const overload = loop.run({ block, offered: 3, seconds: 60, connections });
      expect(overload.served).toBeGreaterThan(least);
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
        expect(served).toBeGreaterThan(least);
        expect(of.critical, `seed ${seed}`).toBeGreaterThanOrEqual(0.985);
        expect(of.sheddable_plus).toBeGreaterThan(2.5 * of.sheddable);
        expect(p99).toBeLessThan(Math.max(20, 5 * block));
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
  const immediates: (() => void)[] = [];
  const shedder = new Shedder(
    { maxEventLoopDelay: 20, maxConcurrent: 'auto', trustCriticality: true },
    () => 0,
    () => 0,
    (callback) => void immediates.push(callback),
  );
  const decided: string[] = [];
  for (const name of ['a', 'b', 'c'])
    shedder.postpone(new Metadata(), () => {
      decided.push(name);
      if (name === 'a') throw new Error('an interceptor');
    });
  for (let each = immediates.shift(); each; each = immediates.shift()) each();
  expect(decided).toEqual(['a', 'b', 'c']);
  expect(thrown).toHaveLength(1);
  expect(thrown[0]).toThrow('an interceptor');
});

/** A shedder that has learned a limit. The test moves its time, and runs a turn of its event loop. */
function limited() {
  const time = { now: 0 };
  const immediates: (() => void)[] = [];
  const shedder = new Shedder(
    { maxEventLoopDelay: 20, maxConcurrent: 'auto', trustCriticality: true },
    () => time.now,
    () => 0,
    (callback) => void immediates.push(callback),
  );
  while (shedder.refuses(METADATA.critical) !== LATER) {
    time.now += 200;
    shedder.measured(200, 2000);
  }
  const turn = (): void => immediates.splice(0).forEach((callback) => callback());
  return { shedder, time, turn };
}

test('after hours without a call the first ones are not refused by the limit of before', () => {
  const { shedder, time } = limited();
  expect(shedder.state.limit).not.toBeNull();
  time.now += 3_600_000;
  expect(shedder.state.limit).toBeNull();
  for (let i = 0; i < 50; i++) {
    expect(shedder.refuses(METADATA.sheddable)).toBeUndefined();
    shedder.started();
  }
});

test('a queue that is left when the limit is forgotten does not grow in the next overload', () => {
  const { shedder, time, turn } = limited();
  let [waiting, started] = [0, 0];
  const arrive = (): void => {
    expect(shedder.refuses(METADATA.critical)).toBe(LATER);
    waiting++;
    shedder.postpone(METADATA.critical, (refusal) => {
      waiting--;
      if (refusal) return;
      shedder.started();
      started++;
      time.now += 5;
      shedder.ended();
    });
  };
  /** Runs turns until a call has started; in each of them calls are decided upon, or one starts. */
  const start = (): void => {
    for (const before = started; started === before;) {
      const begin = time.now;
      turn();
      shedder.measured(time.now - begin, 0);
    }
  };
  arrive();
  arrive();
  while (shedder.state.limit !== null) {
    start();
    arrive();
  }
  expect(waiting).toBe(2);
  for (let i = 0; i < 1000; i++) {
    arrive();
    arrive();
    start();
  }
  expect(waiting).toBeLessThan(100);
});

test.each([1, 2, 3, 5, 7, 64])(
  'of a limit of %i calls, sheddable ones have half, and at least one',
  (maxConcurrent) => {
    const shedder = new Shedder({ maxEventLoopDelay: 20, maxConcurrent, trustCriticality: true });
    let admitted = 0;
    while (shedder.refuses(METADATA.sheddable) === undefined) {
      shedder.started();
      admitted++;
    }
    expect(admitted).toBe(Math.max(1, Math.floor(maxConcurrent / 2)));
  },
);

test('a call that has waited for more than 200 ms starts before more important ones', () => {
  const { shedder, time, turn } = limited();
  const started: string[] = [];
  const postpone = (level: CriticalityLevel): void =>
    shedder.postpone(METADATA[level], (refusal) => started.push(refusal ? `${level} refused` : level));
  postpone('critical');
  postpone('critical');
  turn();
  time.now += 201;
  postpone('critical_plus');
  // One starts, all that have arrived are decided upon, and the next one starts.
  turn();
  turn();
  turn();
  expect(started).toEqual(['critical', 'critical']);
});
