import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { FakeSource, RecordingContext } from '../../../../../test/support/discovery/fake-source.js';
import { check } from '../../../../../test/properties/check.js';
import type { Endpoint } from '../../core/endpoint.js';
import { CONTEXT_OPTION } from '../context/client-context.js';
import { SourceResolver } from './resolver.js';

/** `port`, and its priority as given by the source. */
type Entry = readonly [port: number, priority: number];

type Step =
  | { readonly kind: 'list'; readonly source: number; readonly entries: readonly Entry[]; readonly bad: number }
  | { readonly kind: 'empty' | 'none' | 'fail' | 'garbage' | 'warn'; readonly source: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'refresh' | 'configure' | 'restart' };

const entry: fc.Arbitrary<Entry> = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom(0, 0, 0, 3, 127));
const stepFor = (sources: number): fc.Arbitrary<Step> => {
  const source = fc.integer({ min: 0, max: sources - 1 });
  const entries = fc.array(entry, { minLength: 1, maxLength: 4 });
  const bad = fc.constantFrom(0, 0, 1);
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('list' as const), source, entries, bad }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constantFrom('empty', 'none', 'none', 'fail', 'garbage', 'warn'), source }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('pass' as const),
        ms: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constantFrom(4999, 5000, 15_000, 29_999, 30_000)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('refresh', 'configure', 'restart') }) },
  );
};

/** The expected state of one source. */
class ModelSource {
  good: readonly Entry[] = [];
  spoke = false;
  error = false;
  emptySince: number | undefined;

  list(entries: readonly Entry[], bad: boolean): void {
    this.spoke = true;
    this.good = entries;
    this.error = bad;
    this.emptySince = undefined;
  }

  fail(): void {
    this.spoke = true;
    this.error = true;
    this.emptySince = undefined;
  }

  none(now: number): void {
    this.spoke = true;
    if (this.good.length === 0) this.error = false;
    else {
      this.error = true;
      this.emptySince ??= now;
    }
  }

  pass(now: number): void {
    if (this.emptySince === undefined || now - this.emptySince < 30_000) return;
    this.good = [];
    this.error = false;
    this.emptySince = undefined;
  }
}

/** `port@priority`, over all targets. */
function merged(models: readonly ModelSource[]): string[] {
  const all: string[] = [];
  let base = 0;
  for (const { good } of models) {
    const ranks = [...new Set(good.map(([, priority]) => priority))].toSorted((a, b) => a - b);
    for (const [port, priority] of good) all.push(`${port}@${base + ranks.indexOf(priority)}`);
    base += ranks.length || 1;
  }
  return all;
}

interface Delivery {
  readonly at: number;
  readonly list?: string[];
  readonly error?: string;
}

class Run {
  readonly clock = new FakeClock();
  readonly deliveries: Delivery[] = [];
  readonly #fakes: readonly FakeSource[];
  readonly #resolver: SourceResolver;
  #models: readonly ModelSource[] = [];
  #startedAt = 0;
  /** Since the start, or the last restart. */
  #fresh = 0;

  constructor(sources: number) {
    this.#fakes = Array.from({ length: sources }, () => new FakeSource());
    const context = new RecordingContext(
      this.#fakes.map(({ target }) => target),
      this.clock,
    );
    this.#resolver = new SourceResolver(
      { scheme: 'grpc-lb', path: this.#fakes[0]!.target },
      (endpoints) => {
        const at = this.clock.now();
        if (endpoints.ok) {
          const list = endpoints.value.map(({ addresses, priority }: { addresses: object[] } & Partial<Endpoint>) => {
            const { port } = addresses[0] as { port: number };
            return `${port}@${priority ?? 0}`;
          });
          this.deliveries.push({ at, list });
        } else this.deliveries.push({ at, error: endpoints.error.details });
        return true;
      },
      { [CONTEXT_OPTION]: context },
    );
    this.#start();
  }

  #start(): void {
    this.#models = this.#fakes.map(() => new ModelSource());
    this.#startedAt = this.clock.now();
    this.#fresh = this.deliveries.length;
    this.#resolver.updateResolution();
  }

  do(step: Step): void {
    switch (step.kind) {
      case 'list': {
        const good = step.entries.map(([port, priority]) => ({ address: { host: 'h', port }, priority }));
        const bad = Array.from({ length: step.bad }, () => ({ address: { host: 'h', port: 0 } }));
        this.#fakes[step.source]!.list([...bad, ...good]);
        return this.#models[step.source]!.list(step.entries, step.bad > 0);
      }
      case 'empty':
        this.#fakes[step.source]!.list([]);
        return this.#models[step.source]!.fail();
      case 'garbage':
        this.#fakes[step.source]!.list([null, { address: 'x' }, { address: { path: '' } }] as unknown as Endpoint[], {
          authoritative: true,
        });
        return this.#models[step.source]!.fail();
      case 'none':
        this.#fakes[step.source]!.list([], { authoritative: true });
        return this.#models[step.source]!.none(this.clock.now());
      case 'fail':
        this.#fakes[step.source]!.fail();
        return this.#models[step.source]!.fail();
      case 'warn':
        return this.#fakes[step.source]!.warn('look at this');
      case 'pass':
        return this.#pass(step.ms);
      case 'refresh':
        return this.#resolver.refresh();
      case 'configure':
        return this.#resolver.configChanged();
      case 'restart':
        this.#resolver.destroy();
        expect(this.clock.pendingTimers).toBe(0);
        return this.#start();
    }
  }

  #pass(ms: number): void {
    this.clock.advance(ms);
    for (const model of this.#models) model.pass(this.clock.now());
  }

  /** After 50 ms the last delivery matches the model. */
  settle(): void {
    this.#pass(50.001);
    const since = this.deliveries.slice(this.#fresh);
    const last = since.at(-1);
    const expected = merged(this.#models);
    const hadList = since.some(({ list }) => list !== undefined && list.length > 0);
    const pending = this.#models.some(({ spoke }) => !spoke);
    if (expected.length > 0) {
      const first = this.#models.find(({ spoke, good }) => !spoke || good.length > 0)!;
      const waits = !first.spoke && !hadList && this.clock.now() - this.#startedAt < 5000;
      if (!waits) expect(last?.list).toEqual(expected);
      else expect(since.filter(({ list }) => list)).toEqual([]);
    } else if (hadList) {
      // The balancer has removed all endpoints, whatever reasons for the empty list it gets later.
      expect(since.findLast(({ list }) => list !== undefined)!.list).toEqual([]);
    } else if (this.#models.some(({ error }) => error)) {
      if (!pending || this.clock.now() - this.#startedAt > 5050) expect(last?.error).toBeDefined();
    } else if (!pending) expect(last?.list).toEqual([]);
  }

  end(): void {
    this.#resolver.destroy();
    expect(this.clock.pendingTimers).toBe(0);
    const before = this.deliveries.length;
    for (const fake of this.#fakes) fake.name([1]);
    this.clock.advance(60_000);
    expect(this.deliveries).toHaveLength(before);
  }
}

test.each([1, 2, 3])('whatever %i sources send, the last delivery matches the model', (sources) => {
  check(
    // From one source on all sources only fail, so that there are sometimes no endpoints.
    fc.property(fc.array(stepFor(sources), { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (steps, useless) => {
      const run = new Run(sources);
      for (const step of steps) {
        run.do(step.kind === 'list' && step.source >= useless ? { kind: 'fail', source: step.source } : step);
        run.settle();
      }
      run.end();
    }),
    400,
  );
});

test('however fast lists arrive, five are delivered at once, then one every 50 ms, and always the last', () => {
  const gaps = fc.array(fc.constantFrom(0, 0, 0, 1, 5, 20, 49, 50, 51, 120), { maxLength: 80 });
  check(
    fc.property(gaps, (waits) => {
      const run = new Run(1);
      for (const [i, ms] of waits.entries()) {
        run.do({ kind: 'list', source: 0, entries: [[(i % 9) + 1, 0]], bad: 0 });
        run.do({ kind: 'pass', ms });
      }
      const times = run.deliveries.map(({ at }) => at);
      // A token bucket: at most five, plus one for each 50 ms, in any interval.
      for (const [i, from] of times.entries()) {
        for (const [j, to] of times.slice(i).entries()) expect(j + 1).toBeLessThanOrEqual(6 + (to - from) / 50 + 1e-6);
      }
      run.settle();
      run.end();
    }),
    200,
  );
});
