import { describe, expect, test } from 'vitest';
import { CRITICALITY_LEVELS } from '../core/call/criticality.js';
import { LearnedLimit, type Turn } from './learned-limit.js';

const turnOf = (over: Partial<Turn>): Turn => ({ duration: 1, lag: 0, waited: 0, queued: 0, idle: 0, ...over });

/** Turns of the event loop with so many calls at a time; returns when they have ended. */
function turns(
  limit: LearnedLimit,
  count: number,
  { calls, duration, lag = 0, from }: Record<'calls' | 'duration' | 'from', number> & { lag?: number },
): number {
  let now = from;
  for (let i = 0; i < count; i++) {
    for (let working = 0; working < calls; working++) if (limit.admits(working, 'critical')) limit.admitted(working);
    limit.measured(turnOf({ duration, lag }), (now += duration));
  }
  return now;
}

/** A limit that holds from 250 ms on. */
function limited(): LearnedLimit {
  const limit = new LearnedLimit(20);
  turns(limit, 5, { calls: 100, duration: 50, from: 0 });
  expect(limit.active).toBe(true);
  return limit;
}

test('comes with a delay that stands for a tenth of a second, not with a stall', () => {
  const limit = new LearnedLimit(20);
  const from = turns(limit, 100, { calls: 10, duration: 5, from: 0 });
  const later = turns(limit, 1, { calls: 10, duration: 2000, from });
  expect(limit.value).toBe(Infinity);
  turns(limit, 1, { calls: 10, duration: 5, from: later });
  turns(limit, 3, { calls: 100, duration: 50, from: later + 5 });
  expect(limit.value).toBeLessThan(100);
});

test('does not come with bursts that are far apart, however long each of them blocks', () => {
  const limit = new LearnedLimit(20);
  for (let burst = 0; burst < 10; burst++) turns(limit, 1, { calls: 30, duration: 150, from: 5000 * burst });
  expect(limit.value).toBe(Infinity);
});

test('comes with a late timer too: what blocks the event loop need not be the turn of the arrival', () => {
  const limit = new LearnedLimit(20);
  const from = turns(limit, 100, { calls: 10, duration: 5, from: 0 });
  turns(limit, 40, { calls: 10, duration: 5, lag: 80, from });
  expect(limit.value).toBeLessThan(10);
});

test('is not cut again until calls have been admitted under it, and is forgotten when nothing is refused', () => {
  const limit = limited();
  const { value } = limit;
  for (let i = 0; i < 10; i++) limit.measured(turnOf({ duration: 50, lag: 50 }), 300 + i);
  expect(limit.value).toBe(value);
  limit.measured(turnOf({}), 10_100);
  expect(limit.value).toBe(value);
  limit.measured(turnOf({}), 10_700);
  expect(limit.value).toBe(Infinity);
});

test('is outdated ten seconds after the last call, and not before', () => {
  const limit = limited();
  expect([limit.isOutdated(10_249), limit.isOutdated(10_250)]).toEqual([false, true]);
  // It is refused before the next review.
  limit.refused(400);
  expect([limit.isOutdated(10_399), limit.isOutdated(10_400)]).toEqual([false, true]);
  expect(new LearnedLimit(20).isOutdated(10_250)).toBe(false);
});

/** A call is admitted and another refused in each of so many turns of 10 ms, which are idle for this long. */
function reviewed(limit: LearnedLimit, over: Partial<Turn>, refuses = true): void {
  for (let i = 0; i < 20; i++) {
    const now = 300 + 10 * i;
    limit.admitted(0);
    if (refuses) limit.refused(now);
    limit.measured(turnOf({ duration: 1, ...over }), now);
  }
}

describe('while calls are refused', () => {
  test.each([
    ['grows if the event loop is idle', { idle: 1.2 }, 1],
    ['stays if it is hardly idle', { idle: 0.4 }, 0],
    ['stays however long less important calls wait for more important ones', { idle: 0.4, queued: 150 }, 0],
    ['shrinks if it is never idle', { idle: 0 }, -1],
    ['shrinks if calls wait too long for their start, idle or not', { idle: 3, waited: 81 }, -1],
  ])('it %s', (_, over, direction) => {
    const limit = limited();
    const { value } = limit;
    reviewed(limit, over);
    expect(Math.sign(limit.value - value)).toBe(direction);
  });

  test('it grows faster the more idle the event loop is', () => {
    const [some, much] = [1.2, 4].map((idle) => {
      const limit = limited();
      reviewed(limit, { idle });
      return limit.value;
    });
    expect(much).toBeGreaterThan(some!);
  });
});

test('does not change while no call is refused', () => {
  const limit = limited();
  const { value } = limit;
  reviewed(limit, { idle: 5 }, false);
  reviewed(limit, { idle: 0 }, false);
  expect(limit.value).toBe(value);
});

test('keeps some room for important calls, however busy the event loop is', () => {
  const limit = limited();
  for (let i = 0; i < 100; i++) reviewed(limit, {});
  for (const working of [1, 2, 3]) expect(limit.admits(working, 'critical')).toBe(true);
  expect(limit.admits(1, 'sheddable_plus')).toBe(false);
});

test('of a server whose single call takes long lets four of them queue', () => {
  const limit = new LearnedLimit(20);
  turns(limit, 100, { calls: 1, duration: 100, from: 0 });
  turns(limit, 20, { calls: 3, duration: 300, from: 10_000 });
  expect(limit.value).toBe(Infinity);
});

test('does not come because a few calls take much longer than the others', () => {
  const limit = new LearnedLimit(20);
  let now = turns(limit, 200, { calls: 2, duration: 10, from: 0 });
  for (let i = 0; i < 10; i++) {
    now = turns(limit, 3, { calls: 1, duration: 60, from: now });
    now = turns(limit, 20, { calls: 2, duration: 10, from: now });
  }
  expect(limit.value).toBe(Infinity);
});

test('always admits a call of an idle server', () => {
  const limit = new LearnedLimit(1);
  turns(limit, 1000, { calls: 100, duration: 5000, from: 0 });
  for (const level of CRITICALITY_LEVELS) expect(limit.admits(0, level)).toBe(true);
});
