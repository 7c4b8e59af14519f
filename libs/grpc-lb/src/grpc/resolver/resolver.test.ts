import type { ServiceConfig } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { cpuTime } from '../../../../../test/support/time/cpu-time.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { FakeSource, onPort, RecordingContext } from '../../../../../test/support/discovery/fake-source.js';
import { CONTEXT_OPTION } from '../context/client-context.js';
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

/** A resolver over fake sources, and what it hands to grpc-js. */
class Bench {
  readonly clock = new FakeClock();
  readonly fakes: readonly FakeSource[];
  readonly context: RecordingContext;
  readonly resolver: SourceResolver;
  readonly deliveries: Delivery[] = [];
  /** Milliseconds that it takes to take over a list. */
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
  test('is started once, asked again on demand, and stopped at the end', () => {
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

  test('is handed out at once when it has answered, and says of whom it is', () => {
    const { deliveries, fakes } = new Bench();
    fakes[0]!.name([1, 2]);
    expect(deliveries).toEqual([{ at: 0, list: ['1', '2'], note: `2 endpoints of ${fakes[0]!.target}` }]);
  });

  test('that fails at the start fails calls, each time with the last reason, until it names somebody', () => {
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

  test('that an authority empties is let go after 30 s; a failure after that says why calls fail', () => {
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

  test('that an authority knows to be empty from the start is told so at once', () => {
    const bench = new Bench();
    bench.fakes[0]!.name([], EMPTY);
    expect(bench.lists).toEqual([[]]);
    expect(bench.last!.note).toBe(`${bench.fakes[0]!.target} is empty`);
  });

  test('is forgotten when the channel goes idle, and found anew', () => {
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
  test('five are handed on at once, the rest at most every 50 ms, and none is later than that', () => {
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

  test('new options, however many, do not hold up the lists that come after them', () => {
    const bench = new Bench();
    bench.fakes[0]!.name([1]);
    for (let i = 0; i < 100; i++) bench.resolver.configChanged();
    bench.fakes[0]!.name([2]);
    bench.clock.advance(50);
    expect(bench.last!.list).toEqual(['2']);
  });

  test('failures before the first list do not hold up what comes after it', () => {
    const bench = new Bench();
    for (let i = 0; i < 100; i++) bench.fakes[0]!.fail();
    bench.fakes[0]!.name([1]);
    bench.fakes[0]!.name([2]);
    bench.clock.advance(50);
    expect(bench.last!.list).toEqual(['2']);
  });

  test('new options before the first list hand nothing out', () => {
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
  ])('a list that takes %i ms to be taken over is followed by a rest of %i ms', (cost, rest) => {
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

  test('a list that takes few milliseconds is followed by the next at once', () => {
    const bench = new Bench();
    bench.cost = 10;
    bench.fakes[0]!.name([1]);
    bench.fakes[0]!.name([2]);
    expect(bench.times).toEqual([0, 10]);
  });

  test('a change that waits is dropped when the resolver is destroyed', () => {
    const bench = new Bench();
    for (let i = 1; i < 20; i++) bench.fakes[0]!.name([i]);
    const before = bench.deliveries.length;
    bench.resolver.destroy();
    bench.clock.advance(1000);
    expect(bench.deliveries).toHaveLength(before);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test('a list of a million entries is handed on as 10 000, in time', () => {
    const bench = new Bench();
    const list = Array.from({ length: 1_000_000 }, (_, i) => onPort((i % 65_535) + 1));
    expect(cpuTime(() => bench.fakes[0]!.list(list))).toBeLessThan(500);
    expect(bench.last!.list).toHaveLength(10_000);
  });
});

describe('several targets', () => {
  test('one list comes of them, in the order of their priority', () => {
    const bench = new Bench(3);
    bench.fakes[2]!.name([5]);
    bench.fakes[1]!.name([3, 4]);
    bench.fakes[0]!.name([1, 2]);
    expect(bench.lists).toEqual([['1', '2', '3@1', '4@1', '5@2']]);
  });

  test('a better one that has not answered is waited for 5 s, then the others are used', () => {
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

  test('a worse one that has not answered is not waited for', () => {
    const bench = new Bench(3);
    bench.fakes[0]!.fail();
    bench.fakes[1]!.name([2]);
    expect(bench.lists).toEqual([['2@1']]);
  });

  test('the wait is over after 5 s, also when nobody has answered until then', () => {
    const bench = new Bench(2);
    bench.clock.advance(5000);
    expect(bench.deliveries).toEqual([]);
    bench.clock.advance(1000);
    bench.fakes[1]!.name([2]);
    expect(bench.lists).toEqual([['2@1']]);
  });

  test('nor is a better one waited for that hangs, when the other has failed and is back', () => {
    const bench = new Bench(2);
    bench.fakes[1]!.fail('gone');
    bench.clock.advance(5000);
    expect(bench.deliveries.map(({ error }) => error)).toEqual(['discovery failed: gone']);
    bench.fakes[1]!.name([2]);
    bench.clock.advance(50);
    expect(bench.last!.list).toEqual(['2@1']);
  });

  test('a channel that comes back from idle waits anew', () => {
    const bench = new Bench(2);
    bench.clock.advance(5000);
    bench.resolver.destroy();
    bench.resolver.updateResolution();
    bench.fakes[1]!.name([2]);
    expect(bench.lists).toEqual([]);
    bench.clock.advance(5000);
    expect(bench.lists).toEqual([['2@1']]);
  });

  test('a failure is one only when all have failed', () => {
    const bench = new Bench(2);
    bench.fakes[1]!.fail('B');
    expect(bench.deliveries).toEqual([]);
    bench.fakes[0]!.fail('A');
    expect(bench.deliveries.map(({ error }) => error)).toEqual(['discovery failed: A']);
    bench.fakes[1]!.name([2]);
    bench.clock.advance(50);
    expect(bench.last!.list).toEqual(['2@1']);
  });

  test('that all are empty by authority is the truth, when all have said so', () => {
    const bench = new Bench(2);
    bench.fakes[0]!.name([], EMPTY);
    expect(bench.deliveries).toEqual([]);
    bench.fakes[1]!.name([], EMPTY);
    expect(bench.lists).toEqual([[]]);
    expect(bench.last!.note).toBe(`${bench.fakes[0]!.target} and ${bench.fakes[1]!.target} are empty`);
  });

  test('what an authority lets go of goes, also if the other target fails all the time', () => {
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

  test('the first service config counts', () => {
    const bench = new Bench(2);
    const seen: unknown[] = [];
    Object.assign(bench.context, {
      serviceConfig: (config?: object): ServiceConfig | null => (seen.push(config), null),
    });
    bench.fakes[0]!.name([1]);
    bench.fakes[1]!.name([2], { serviceConfig: { of: 'two' } });
    bench.clock.advance(50);
    bench.fakes[0]!.name([1], { serviceConfig: { of: 'one' } });
    bench.clock.advance(50);
    // A faulty one is passed over, and told of.
    bench.fakes[0]!.name([1], { serviceConfig: { methodConfig: 'none' } });
    bench.clock.advance(50);
    expect(seen).toEqual([undefined, { of: 'two' }, { of: 'one' }, { of: 'two' }]);
    expect(bench.context.told('discovery_warning')).toMatchObject([{ target: bench.fakes[0]!.target }]);
  });

  test('priorities within a target come between, without gaps; an empty target keeps its place', () => {
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

  test('all are asked again, and all are stopped', () => {
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

test('without a context a target of any scheme is its own source', () => {
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
