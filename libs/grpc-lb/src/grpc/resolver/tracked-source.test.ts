import { beforeEach, describe, expect, test, vi } from 'vitest';
import { cpuTime } from '../../../../../test/support/time/cpu-time.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { FakeSource, onPort, RecordingContext } from '../../../../../test/support/discovery/fake-source.js';
import type { Endpoint } from '../../core/endpoint.js';
import { TrackedSource } from './tracked-source.js';

let clock: FakeClock;
let fake: FakeSource;
let context: RecordingContext;
let tracked: TrackedSource;
let changes: number;

beforeEach(() => {
  clock = new FakeClock();
  fake = new FakeSource();
  context = new RecordingContext([fake.target], clock);
  changes = 0;
  tracked = new TrackedSource(fake.target, context, () => changes++);
  tracked.start();
});

const ports = (): number[] => tracked.endpoints.map(({ address }) => ('port' in address ? address.port : 0));
const EMPTY = { authoritative: true };

describe('the last good list', () => {
  test('stays when the source fails, is empty without authority, or sends nothing usable', () => {
    fake.name([1, 2]);
    for (const mishap of [
      () => fake.fail(),
      () => fake.name([]),
      () => fake.name([0]),
      // Even an authoritative list is ignored if all its entries are faulty.
      () => fake.name([0], EMPTY),
      () => fake.list('nonsense' as unknown as Endpoint[]),
    ]) {
      mishap();
      clock.advance(600_000);
      expect(ports()).toEqual([1, 2]);
      expect(tracked.snapshot().state).toBe('stale');
    }
    expect(changes).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test('is replaced by each new one, which is reported at once', () => {
    fake.name([1, 2]);
    fake.name([3]);
    expect(ports()).toEqual([3]);
    expect(changes).toBe(2);
  });

  test('lacks only the faulty entries', () => {
    fake.list([onPort(1), onPort(70_000), onPort(2), {} as Endpoint]);
    expect(ports()).toEqual([1, 2]);
    expect(tracked.snapshot()).toMatchObject({ state: 'ok', endpoints: 2, dropped: 2, updates: 1, failures: 0 });
    expect(tracked.snapshot().error).toMatch(/^2 of 4 endpoints dropped: .*70000.* has no address/);
    expect(context.told('discovery_failed')).toHaveLength(1);
    fake.name([1, 2]);
    expect(tracked.snapshot()).toMatchObject({ error: null, dropped: 2 });
    expect(context.told('discovery_recovered')).toHaveLength(1);
  });

  test('comes with its service config', () => {
    const serviceConfig = { methodConfig: [] };
    fake.name([1], { serviceConfig });
    fake.fail();
    expect(tracked.validServiceConfig()).toBe(serviceConfig);
    fake.name([1]);
    expect(tracked.validServiceConfig()).toBeUndefined();
  });
});

describe('an authoritative empty list', () => {
  test('is applied after 30 s, and the client is notified', () => {
    fake.name([1, 2]);
    fake.name([], EMPTY);
    clock.advance(29_999);
    expect(ports()).toEqual([1, 2]);
    expect(tracked.snapshot()).toMatchObject({ state: 'stale', endpoints: 2 });
    expect(changes).toBe(1);
    clock.advance(1);
    expect(ports()).toEqual([]);
    expect(tracked.snapshot()).toMatchObject({ state: 'ok', endpoints: 0, error: null, staleForMs: null });
    expect(changes).toBe(2);
  });

  test('is applied at once if there are no endpoints to lose', () => {
    fake.name([], EMPTY);
    expect(tracked.snapshot()).toMatchObject({ state: 'ok', endpoints: 0, updates: 1 });
    expect(changes).toBe(1);
    expect(context.events).toEqual([]);
  });

  test('is discarded if endpoints are listed again in time', () => {
    fake.name([1, 2]);
    fake.name([], EMPTY);
    clock.advance(29_999);
    fake.name([2]);
    clock.advance(60_000);
    expect(ports()).toEqual([2]);
    expect(clock.pendingTimers).toBe(0);
    fake.name([], EMPTY);
    clock.advance(29_999);
    expect(ports()).toEqual([2]);
  });

  test('is applied 30 s after the first one, even if it is repeated', () => {
    fake.name([1]);
    for (let i = 0; i < 10; i++) {
      fake.name([], EMPTY);
      clock.advance(2999);
    }
    expect(ports()).toEqual([1]);
    fake.name([], EMPTY);
    clock.advance(10);
    expect(ports()).toEqual([]);
  });

  test('is discarded if the source then fails, since it could no longer be revoked', () => {
    fake.name([1]);
    fake.name([], EMPTY);
    clock.advance(10_000);
    fake.fail('the API server is restarting');
    clock.advance(600_000);
    expect(ports()).toEqual([1]);
    expect(tracked.snapshot().state).toBe('stale');
    // The source is back, and still empty.
    fake.name([], EMPTY);
    clock.advance(30_000);
    expect(ports()).toEqual([]);
  });

  test('does not count as a recovery when it is applied, and a later list is a new one', () => {
    fake.name([1]);
    fake.name([], EMPTY);
    clock.advance(30_000);
    expect(context.events.map(({ type }) => type)).toEqual(['discovery_failed']);
    fake.name([1]);
    expect(ports()).toEqual([1]);
    expect(context.told('discovery_failed')).toHaveLength(1);
    expect(context.told('discovery_failed')[0]!.error).toBe(
      `${fake.target} no longer lists endpoints; the last 1 are removed in 30 s`,
    );
  });
});

describe('failures', () => {
  const uses = (): unknown[] => context.told('discovery_failed').map((event) => event.uses);

  test('report which endpoints stay in use', () => {
    fake.fail('A');
    clock.advance(60_000);
    fake.name([1]);
    fake.fail('B');
    clock.advance(60_000);
    fake.name([], EMPTY);
    clock.advance(60_000);
    fake.name([1, 0]);
    expect(uses()).toEqual(['none', 'last', 'leaving', 'part']);
  });

  const errors = (): string[] => context.told('discovery_failed').map(({ error }) => error);

  test('are reported once while they stay the same', () => {
    for (let i = 0; i < 100; i++) {
      fake.fail('NXDOMAIN');
      clock.advance(60_000);
    }
    expect(errors()).toEqual(['NXDOMAIN']);
    expect(tracked.snapshot().failures).toBe(100);
  });

  test('that keep changing are reported once in 10 s, and always in the snapshot', () => {
    for (let i = 0; i < 100; i++) {
      fake.fail(`failure ${i}`);
      expect(tracked.snapshot().error).toBe(`failure ${i}`);
      clock.advance(1000);
    }
    expect(errors()).toEqual(Array.from({ length: 10 }, (_, i) => `failure ${i * 10}`));
  });

  test('of a source that flaps are reported once in 10 s, and so are its recoveries', () => {
    for (let i = 0; i < 100; i++) {
      fake.fail();
      fake.name([1]);
      clock.advance(100);
    }
    expect(errors()).toHaveLength(1);
    expect(context.told('discovery_recovered')).toHaveLength(1);
    expect(tracked.snapshot()).toMatchObject({ state: 'ok', updates: 100, failures: 100 });
  });

  test('that were suppressed are reported later if they persist', () => {
    fake.fail('A');
    fake.name([1]);
    fake.fail('B');
    clock.advance(10_000);
    fake.fail('B');
    expect(errors()).toEqual(['A', 'B']);
    fake.name([1]);
    expect(context.told('discovery_recovered')).toHaveLength(2);
  });

  test('a source that never failed has not recovered', () => {
    fake.name([1]);
    fake.name([2]);
    expect(context.events).toEqual([]);
  });

  test('before the first list all notify the client; later ones do not', () => {
    expect(tracked.pending).toBe(true);
    fake.fail('first');
    expect(tracked.pending).toBe(false);
    expect(tracked.snapshot()).toMatchObject({ state: 'failed', error: 'first', lastUpdate: null, staleForMs: null });
    fake.fail('second');
    expect(changes).toBe(2);
    fake.name([1]);
    expect(changes).toBe(3);
    fake.fail('third');
    expect(changes).toBe(3);
  });
});

test('each failure reports which endpoints stay in use', () => {
  const told = (): string[] => context.told('discovery_failed').map(({ uses }) => uses);
  fake.fail('nobody yet');
  clock.advance(10_000);
  fake.list([onPort(1), onPort(0)]);
  clock.advance(10_000);
  fake.fail('gone');
  clock.advance(10_000);
  fake.name([1]);
  fake.name([], EMPTY);
  expect(told()).toEqual(['none', 'part', 'last', 'leaving']);
});

test('a cluster IP is in the snapshot while the source reports one', () => {
  fake.name([1], { clusterIp: true });
  expect(tracked.snapshot().clusterIp).toBe(true);
  fake.fail('gone');
  expect(tracked.snapshot().clusterIp).toBe(true);
  fake.name([1, 2]);
  expect(tracked.snapshot().clusterIp).toBe(false);
});

describe('warnings', () => {
  test('are reported once for each text', () => {
    for (let i = 0; i < 5; i++) for (const text of ['headless?', 'a long list']) fake.warn(text);
    const target = fake.target;
    expect(context.events).toEqual([
      { type: 'discovery_warning', target, warning: 'headless?' },
      { type: 'discovery_warning', target, warning: 'a long list' },
    ]);
  });

  test('that keep changing are reported at most a hundred times', () => {
    for (let i = 0; i < 1000; i++) fake.warn(`at ${i}`);
    expect(context.told('discovery_warning')).toHaveLength(100);
  });

  test('change nothing else', () => {
    fake.name([1]);
    const before = tracked.snapshot();
    fake.warn('headless?');
    expect(tracked.snapshot()).toEqual(before);
    expect(changes).toBe(1);
  });
});

describe('the snapshot', () => {
  test('counts updates and failures, and gives the age of a stale list', () => {
    vi.useFakeTimers({ now: 1000 });
    try {
      expect(tracked.snapshot()).toEqual({
        target: fake.target,
        kind: fake.target.split(':')[0],
        state: 'pending',
        lastUpdate: null,
        staleForMs: null,
        error: null,
        clusterIp: false,
        dropped: 0,
        endpoints: 0,
        updates: 0,
        failures: 0,
      });
      fake.name([1, 2, 3]);
      vi.setSystemTime(3000);
      expect(tracked.snapshot()).toMatchObject({ state: 'ok', lastUpdate: 1000, staleForMs: null, endpoints: 3 });
      fake.fail();
      expect(tracked.snapshot()).toMatchObject({ state: 'stale', lastUpdate: 1000, staleForMs: 2000, endpoints: 3 });
      vi.setSystemTime(4000);
      expect(tracked.snapshot().staleForMs).toBe(3000);
      fake.name([1]);
      expect(tracked.snapshot()).toMatchObject({ state: 'ok', lastUpdate: 4000, staleForMs: null, endpoints: 1 });
    } finally {
      vi.useRealTimers();
    }
  });
});

test('a stopped source is ignored and holds no timer', () => {
  fake.name([1]);
  fake.name([], EMPTY);
  expect(clock.pendingTimers).toBe(1);
  tracked.stop();
  expect(clock.pendingTimers).toBe(0);
  expect(fake.stopped).toBe(1);
  const before = { events: context.events.length, snapshot: tracked.snapshot(), changes };
  fake.name([2]);
  fake.name([], EMPTY);
  fake.fail();
  fake.warn('late');
  clock.advance(60_000);
  expect({ events: context.events.length, snapshot: { ...tracked.snapshot() }, changes }).toMatchObject({
    events: before.events,
    changes: before.changes,
    snapshot: { state: 'stale', updates: 1, failures: 1 },
  });
  expect(ports()).toEqual([1]);
  expect(clock.pendingTimers).toBe(0);
});

test('a list of a million entries is cut, and costs little', () => {
  const list = Array.from({ length: 1_000_000 }, (_, i) => onPort((i % 65_535) + 1));
  // The cap is reached after a hundredth of them.
  expect(cpuTime(() => fake.list(list))).toBeLessThan(500);
  expect(tracked.endpoints).toHaveLength(10_000);
  expect(tracked.snapshot()).toMatchObject({ state: 'ok', endpoints: 10_000, dropped: 990_000 });
  expect(tracked.snapshot().error).toContain('the list has 1000000 entries');
});

test('errors and warnings of a registry are reported on one line, and truncated', () => {
  const evil = `\u001b[2Jgone\r\n2026-01-01 LOG all is well \u202e${'x'.repeat(8_800_000)}`;
  fake.fail(evil);
  fake.warn(evil);
  const [failed] = context.told('discovery_failed');
  const [warned] = context.told('discovery_warning');
  for (const text of [tracked.snapshot().error!, failed!.error, warned!.warning]) {
    expect(text.length).toBeLessThanOrEqual(500);
    expect(text).toMatch(/^\\u001b\[2Jgone\\r\\n2026.* characters\)$/);
  }
});

test('a failure that is not an Error is reported all the same', () => {
  fake.failWith(undefined as unknown as Error);
  expect(tracked.snapshot().error).toBe('undefined');
});
