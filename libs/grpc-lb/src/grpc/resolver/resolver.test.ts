import type { ServiceConfig } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { cpuTime } from '../../../../../test/support/time/cpu-time.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { FakeSource, onPort, RecordingContext } from '../../../../../test/support/discovery/fake-source.js';
import { CONTEXT_OPTION } from '../context/client-context.js';
import { systemClock } from '../context/system-clock.js';
import { SourceResolver } from './resolver.js';

const EMPTY = { authoritative: true };

interface Delivery {
  readonly at: number;
  /** `port` or `port@priority`; undefined for a failure. */
  readonly list?: readonly string[];
  readonly error?: string;
  readonly note: string;
  readonly serviceConfig?: unknown;
}

/** A resolver over fake sources, and what it delivers to grpc-js. */
class Bench {
  readonly clock = new FakeClock();
  readonly fakes: readonly FakeSource[];
  readonly context: RecordingContext;
  readonly resolver: SourceResolver;
  readonly deliveries: Delivery[] = [];
  /** How long applying a list takes, in milliseconds. */
  cost = 0;

  constructor(sources = 1) {
    this.fakes = Array.from({ length: sources }, () => new FakeSource());
    const targets = this.fakes.map(({ target }) => target);
    this.context = new RecordingContext(targets, this.clock);
    const uri = { scheme: 'grpc-lb', path: targets[0]! };
    this.resolver = new SourceResolver(
      uri,
      (endpoints, _attributes, config, note) => {
        const at = this.clock.now();
        const serviceConfig = config?.ok ? { serviceConfig: config.value } : {};
        if (!endpoints.ok) this.deliveries.push({ at, error: endpoints.error.details, note });
        else this.deliveries.push({ at, list: endpoints.value.map(described), note, ...serviceConfig });
        if (this.cost > 0) this.clock.advance(this.cost);
        return true;
      },
      { [CONTEXT_OPTION]: this.context },
    );
    this.resolver.updateResolution();
  }

  get lists(): (readonly string[] | undefined)[] {
    return this.deliveries.map(({ list }) => list);
  }

  get last(): Delivery | undefined {
    return this.deliveries.at(-1);
  }

  get times(): number[] {
    return this.deliveries.map(({ at }) => at);
  }
}

function described(endpoint: { addresses: readonly object[]; priority?: number }): string {
  const { port } = endpoint.addresses[0] as { port: number };
  return endpoint.priority ? `${port}@${endpoint.priority}` : `${port}`;
}

describe('one target', () => {
  test('is started once, refreshed on demand, and stopped at the end', () => {
    const { resolver, fakes, context, clock } = new Bench();
    expect(fakes[0]!.started).toBe(1);
    resolver.updateResolution();
    resolver.refresh();
    expect(fakes[0]).toMatchObject({ started: 1, refreshed: 2, stopped: 0 });
    resolver.destroy();
    expect(fakes[0]!.stopped).toBe(1);
    expect(context.discovery).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  test('is delivered as soon as it has answered, with a note that names the target', () => {
    const { deliveries, fakes } = new Bench();
    fakes[0]!.name([1, 2]);
    expect(deliveries).toEqual([{ at: 0, list: ['1', '2'], note: `2 endpoints of ${fakes[0]!.target}` }]);
  });

  test('that fails at the start fails calls with the latest reason until it lists endpoints', () => {
    const { deliveries, fakes } = new Bench();
    fakes[0]!.fail('NXDOMAIN');
    fakes[0]!.fail('SERVFAIL');
    fakes[0]!.name([1]);
    expect(deliveries.map(({ error, list }) => error ?? list)).toEqual([
      'discovery failed: NXDOMAIN',
      'discovery failed: SERVFAIL',
      ['1'],
    ]);
  });

  test('that fails later changes nothing', () => {
    const bench = new Bench();
    bench.fakes[0]!.name([1]);
    bench.fakes[0]!.fail();
    bench.fakes[0]!.name([]);
    bench.clock.advance(600_000);
    expect(bench.lists).toEqual([['1']]);
  });

  test('that is authoritatively empty loses its endpoints after 30 s; a later failure is the reason for failed calls', () => {
    const bench = new Bench();
    const [fake] = bench.fakes;
    fake!.name([1]);
    fake!.name([], EMPTY);
    bench.clock.advance(30_050);
    expect(bench.lists).toEqual([['1'], []]);
    fake!.fail('gone');
    bench.clock.advance(50);
    expect(bench.last!.error).toBe('discovery failed: gone');
    fake!.name([2]);
    bench.clock.advance(50);
    expect(bench.last!.list).toEqual(['2']);
  });

  test('that is authoritatively empty from the start is delivered as empty at once', () => {
    const bench = new Bench();
    bench.fakes[0]!.name([], EMPTY);
    expect(bench.lists).toEqual([[]]);
    expect(bench.last!.note).toBe(`${bench.fakes[0]!.target} is empty`);
  });

  test('is forgotten when the channel goes idle, and resolved again later', () => {
    const bench = new Bench();
    const [fake] = bench.fakes;
    fake!.name([1]);
    bench.resolver.destroy();
    fake!.name([2]);
    expect(bench.lists).toEqual([['1']]);
    bench.resolver.updateResolution();
    expect(fake!.started).toBe(2);
    expect(bench.context.sourceSnapshots()).toMatchObject([{ state: 'pending', updates: 0 }]);
    fake!.name([3]);
    expect(bench.lists).toEqual([['1'], ['3']]);
  });
});

describe('many changes', () => {
  test('five are delivered at once, the rest every 50 ms, and none later than that', () => {
    const bench = new Bench();
    bench.fakes[0]!.name([1]);
    bench.clock.advance(1000);
    const changed: number[] = [];
    for (let i = 0; i < 200; i++) {
      bench.fakes[0]!.name([1000 + i]);
      changed.push(bench.clock.now());
      if (i >= 20) bench.clock.advance(7);
    }
    bench.clock.advance(1000);
    // The start, and the burst of five.
    expect(bench.times.slice(0, 6)).toEqual([0, 1000, 1000, 1000, 1000, 1000]);
    const later = bench.times.slice(6);
    for (const [i, at] of later.slice(1).entries()) expect(at - later[i]!).toBeGreaterThan(49.9);
    for (const [i, at] of changed.entries()) {
      const seen = bench.deliveries.find((each) => Number(each.list?.[0]) >= 1000 + i)!;
      expect(seen.at - at).toBeLessThanOrEqual(50.001);
    }
    expect(bench.last!.list).toEqual(['1199']);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test('option updates, however many, do not delay later lists', () => {
    const bench = new Bench();
    bench.fakes[0]!.name([1]);
    for (let i = 0; i < 100; i++) bench.resolver.configChanged();
    bench.fakes[0]!.name([2]);
    bench.clock.advance(50);
    expect(bench.last!.list).toEqual(['2']);
  });

  test('failures before the first list do not delay later lists', () => {
    const bench = new Bench();
    for (let i = 0; i < 100; i++) bench.fakes[0]!.fail();
    bench.fakes[0]!.name([1]);
    bench.fakes[0]!.name([2]);
    bench.clock.advance(50);
    expect(bench.last!.list).toEqual(['2']);
  });

  test('option updates before the first list deliver nothing', () => {
    const bench = new Bench();
    bench.resolver.configChanged();
    bench.fakes[0]!.fail();
    const before = bench.deliveries.length;
    bench.resolver.configChanged();
    expect(bench.deliveries).toHaveLength(before);
  });

  test.each([
    [200, 800],
    [60_000, 5000],
    [11, 44],
  ])('a list that takes %i ms to apply is followed by a pause of %i ms', (cost, rest) => {
    const bench = new Bench();
    bench.cost = cost;
    bench.fakes[0]!.name([1]);
    bench.cost = 0;
    for (let i = 2; i < 9; i++) bench.fakes[0]!.name([i]);
    bench.clock.advance(rest - 1);
    expect(bench.lists).toEqual([['1']]);
    bench.clock.advance(1);
    expect(bench.lists).toEqual([['1'], ['8']]);
    expect(bench.times).toEqual([0, cost + rest]);
  });

  test('a list that takes a few milliseconds to apply is followed by the next at once', () => {
    const bench = new Bench();
    bench.cost = 10;
    bench.fakes[0]!.name([1]);
    bench.fakes[0]!.name([2]);
    expect(bench.times).toEqual([0, 10]);
  });

  test('a list during which the process waits for its CPU is followed by the next at once', () => {
    const cpu = vi.spyOn(process, 'cpuUsage').mockReturnValue({ user: 7000, system: 0 });
    onTestFinished(() => cpu.mockRestore());
    const fake = new FakeSource();
    const waiting = new Int32Array(new SharedArrayBuffer(4));
    let lists = 0;
    const resolver = new SourceResolver(
      { scheme: 'grpc-lb', path: fake.target },
      () => {
        lists++;
        Atomics.wait(waiting, 0, 0, 20);
        return true;
      },
      { [CONTEXT_OPTION]: new RecordingContext([fake.target], systemClock) },
    );
    onTestFinished(() => resolver.destroy());
    resolver.updateResolution();
    fake.name([1]);
    fake.name([2]);
    expect(lists).toBe(2);
  });

  test('a pending change is dropped when the resolver is destroyed', () => {
    const bench = new Bench();
    for (let i = 1; i < 20; i++) bench.fakes[0]!.name([i]);
    const before = bench.deliveries.length;
    bench.resolver.destroy();
    bench.clock.advance(1000);
    expect(bench.deliveries).toHaveLength(before);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test('a list of a million entries is delivered as 10 000, in bounded time', () => {
    const bench = new Bench();
    const list = Array.from({ length: 1_000_000 }, (_, i) => onPort((i % 65_535) + 1));
    expect(cpuTime(() => bench.fakes[0]!.list(list))).toBeLessThan(500);
    expect(bench.last!.list).toHaveLength(10_000);
  });
});

describe('several targets', () => {
  test('are merged into one list in the order of their priority', () => {
    const bench = new Bench(3);
    bench.fakes[2]!.name([5]);
    bench.fakes[1]!.name([3, 4]);
    bench.fakes[0]!.name([1, 2]);
    expect(bench.lists).toEqual([['1', '2', '3@1', '4@1', '5@2']]);
  });

  test('wait 5 s for a better one to answer before the others are used', () => {
    const bench = new Bench(2);
    bench.fakes[1]!.name([2]);
    bench.clock.advance(4999);
    expect(bench.lists).toEqual([]);
    bench.clock.advance(1);
    expect(bench.lists).toEqual([['2@1']]);
    bench.fakes[0]!.name([1]);
    bench.clock.advance(50);
    expect(bench.last!.list).toEqual(['1', '2@1']);
  });

  test('do not wait for a worse one to answer', () => {
    const bench = new Bench(3);
    bench.fakes[0]!.fail();
    bench.fakes[1]!.name([2]);
    expect(bench.lists).toEqual([['2@1']]);
  });

  test('stop waiting after 5 s even if none has answered by then', () => {
    const bench = new Bench(2);
    bench.clock.advance(5000);
    expect(bench.deliveries).toEqual([]);
    bench.clock.advance(1000);
    bench.fakes[1]!.name([2]);
    expect(bench.lists).toEqual([['2@1']]);
  });

  test('do not wait again for a better one that hangs when another one recovers', () => {
    const bench = new Bench(2);
    bench.fakes[1]!.fail('gone');
    bench.clock.advance(5000);
    expect(bench.deliveries.map(({ error }) => error)).toEqual(['discovery failed: gone']);
    bench.fakes[1]!.name([2]);
    bench.clock.advance(50);
    expect(bench.last!.list).toEqual(['2@1']);
  });

  test('wait again when the channel leaves idle', () => {
    const bench = new Bench(2);
    bench.clock.advance(5000);
    bench.resolver.destroy();
    bench.resolver.updateResolution();
    bench.fakes[1]!.name([2]);
    expect(bench.lists).toEqual([]);
    bench.clock.advance(5000);
    expect(bench.lists).toEqual([['2@1']]);
  });

  test('fail only when all have failed', () => {
    const bench = new Bench(2);
    bench.fakes[1]!.fail('B');
    expect(bench.deliveries).toEqual([]);
    bench.fakes[0]!.fail('A');
    expect(bench.deliveries.map(({ error }) => error)).toEqual(['discovery failed: A']);
    bench.fakes[1]!.name([2]);
    bench.clock.advance(50);
    expect(bench.last!.list).toEqual(['2@1']);
  });

  test('are authoritatively empty only when all have said so', () => {
    const bench = new Bench(2);
    bench.fakes[0]!.name([], EMPTY);
    expect(bench.deliveries).toEqual([]);
    bench.fakes[1]!.name([], EMPTY);
    expect(bench.lists).toEqual([[]]);
    expect(bench.last!.note).toBe(`${bench.fakes[0]!.target} and ${bench.fakes[1]!.target} are empty`);
  });

  test('drop the endpoints of one that is authoritatively empty, even if the other one keeps failing', () => {
    const bench = new Bench(2);
    bench.fakes[1]!.fail('no such name');
    bench.fakes[0]!.name([1]);
    expect(bench.lists).toEqual([['1']]);
    bench.fakes[0]!.name([], EMPTY);
    bench.clock.advance(30_050);
    expect(bench.last!.list).toEqual([]);
    expect(bench.last!.note).toContain('no such name');
    // From then on a failure is the reason for failing calls.
    bench.fakes[1]!.fail('still no such name');
    bench.clock.advance(50);
    expect(bench.last!.error).toBe('discovery failed: still no such name');
  });

  test('use the first valid service config', () => {
    const bench = new Bench(2);
    const seen: unknown[] = [];
    Object.assign(bench.context, {
      serviceConfig: (config?: object): ServiceConfig | null => (seen.push(config), null),
    });
    const [first, second] = bench.fakes;
    const faulty = { methodConfig: 'none' };
    first!.name([1]);
    second!.name([2], { serviceConfig: { of: 'two' } });
    bench.clock.advance(50);
    // It is skipped with a warning.
    first!.name([1], { serviceConfig: { ...faulty } });
    bench.clock.advance(50);
    first!.name([1], { serviceConfig: { of: 'one' } });
    bench.clock.advance(50);
    // The last good one of that target stays (gRFC A21).
    first!.name([1], { serviceConfig: { ...faulty } });
    bench.clock.advance(50);
    first!.name([1]);
    bench.clock.advance(50);
    expect(seen).toEqual([undefined, { of: 'two' }, { of: 'two' }, { of: 'one' }, { of: 'one' }, { of: 'two' }]);
    expect(bench.context.told('discovery_warning')).toMatchObject([{ target: bench.fakes[0]!.target }]);
  });

  test('number the priorities within each target consecutively; an empty target keeps its place', () => {
    const bench = new Bench(3);
    bench.fakes[0]!.list([
      { ...onPort(2), priority: 20 },
      { ...onPort(1), priority: 10 },
    ]);
    bench.fakes[1]!.name([], EMPTY);
    bench.fakes[2]!.name([3]);
    bench.clock.advance(50);
    expect(bench.last!.list).toEqual(['2@1', '1', '3@3']);
  });

  test('are all refreshed and all stopped', () => {
    const { resolver, fakes } = new Bench(3);
    resolver.refresh();
    resolver.destroy();
    expect(fakes.map(({ refreshed, stopped }) => [refreshed, stopped])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });
});

test('without a context each target gets a source of its own', () => {
  const fake = new FakeSource();
  const [scheme, path] = fake.target.split('://') as [string, string];
  const lists: number[] = [];
  const resolver = new SourceResolver(
    { scheme, authority: '', path: path.slice(1) },
    (endpoints) => (endpoints.ok && lists.push(endpoints.value.length), true),
    {},
  );
  resolver.updateResolution();
  fake.name([1, 2]);
  expect(lists).toEqual([2]);
  resolver.destroy();
  expect(fake.stopped).toBe(1);
});
