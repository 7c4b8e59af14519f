import { describe, expect, test } from 'vitest';
import { DeadlineGuard } from './deadline-guard.js';

const PATH = '/orders.v1.Orders/Find';

/** A guard that has seen calls of 100 ms. */
function setUp(calls: number, refuseHopeless = true) {
  let now = 0;
  let dayStart = 0;
  const guard = new DeadlineGuard(
    refuseHopeless,
    () => now + dayStart,
    () => now,
  );
  const succeed = (count: number, duration: number): void => {
    for (let i = 0; i < count; i++) {
      now += duration;
      guard.succeeded(PATH, now - duration);
    }
  };
  succeed(calls, 100);
  const arrive = (left: number, path = PATH): string | undefined =>
    guard.onArrival(path, now + dayStart + left)?.reason;
  const setDay = (ms: number): void => void (dayStart = ms);
  const pause = (ms: number): void => void (now += ms);
  return { guard, arrive, succeed, setDay, pause };
}

describe('a call that arrives', () => {
  test('is refused if its deadline has passed, or is a millisecond away', () => {
    const { arrive } = setUp(0, false);
    expect([arrive(0), arrive(-1), arrive(1), arrive(2), arrive(Infinity)]).toEqual([
      'deadline_passed',
      'deadline_passed',
      'deadline_passed',
      undefined,
      undefined,
    ]);
  });

  test('is refused if half of the calls of its method take longer, once fifty have ended', () => {
    expect(setUp(49).arrive(50)).toBeUndefined();
    const { arrive } = setUp(50);
    expect([arrive(50), arrive(200), arrive(Infinity), arrive(50, '/orders.v1.Orders/Place')]).toEqual([
      'deadline_hopeless',
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('is not refused as hopeless unless that is switched on', () => {
    expect(setUp(100, false).arrive(50)).toBeUndefined();
  });

  test('is judged by how long calls take, also after the time of day was set back', () => {
    const { arrive, succeed, setDay } = setUp(50);
    setDay(-3_600_000);
    succeed(200, 20);
    expect([arrive(50), arrive(10)]).toEqual([undefined, 'deadline_hopeless']);
  });

  test('is not judged by calls before a pause of a minute', () => {
    const { arrive, pause } = setUp(50);
    for (let i = 0; i < 5; i++) {
      pause(59_999);
      expect(arrive(50)).toBe('deadline_hopeless');
    }
    pause(60_000);
    for (let i = 0; i < 20; i++) expect(arrive(50)).toBeUndefined();
  });

  test('is served as each tenth hopeless one, so that a method that has become faster is noticed', () => {
    const { arrive, succeed } = setUp(50);
    const answers = Array.from({ length: 20 }, () => arrive(50));
    expect(answers.map((answer) => answer === undefined)).toEqual(Array.from({ length: 20 }, (_, i) => i % 10 === 9));
    succeed(200, 20);
    expect(arrive(50)).toBeUndefined();
  });
});

test('a handler is not started if the deadline has passed since, or is a millisecond away', () => {
  const { guard } = setUp(0);
  expect(guard.beforeHandler(0)?.reason).toBe('deadline_passed');
  expect(guard.beforeHandler(1)?.reason).toBe('deadline_passed');
  expect(guard.beforeHandler(2)).toBeUndefined();
  expect(guard.beforeHandler(Infinity)).toBeUndefined();
});
