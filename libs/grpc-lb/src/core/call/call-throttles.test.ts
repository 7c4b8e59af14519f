import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { CallThrottles, MAX_THROTTLES, OTHER_METHODS } from './call-throttles.js';

const POLICY = { multiplier: 2, window: 120_000, rejectionStatusCodes: ['UNAVAILABLE'] } as const;

function setUp() {
  const changes: string[] = [];
  const throttles = new CallThrottles({
    clock: new FakeClock(),
    random: () => 0,
    codesOf: () => new Set([14]),
    changed: (method, { state }) => changes.push(`${method} ${state}`),
  });
  const overload = (path: string): void => {
    const throttle = throttles.of(path, POLICY, true);
    for (let i = 0; i < 20; i++) throttle.ended('rejected');
    throttle.admits();
  };
  return { throttles, changes, overload };
}

test('each method has its own, which keeps its counts as long as its policy stays', () => {
  const { throttles, overload } = setUp();
  overload('/a/Find');
  expect(throttles.of('/a/Find', { ...POLICY }, true).counts.requests).toBe(21);
  expect(throttles.of('/a/Place', POLICY, true).counts.requests).toBe(0);
  expect(throttles.of('/a/Find', { ...POLICY, multiplier: 3 }, true).counts.requests).toBe(0);
  expect(throttles.refused).toBe(1);
});

test('the snapshot has the methods that had calls, and the total stays when they go', () => {
  const { throttles, changes, overload } = setUp();
  throttles.of('/a/Idle', POLICY, true);
  overload('/a/Find');
  expect(throttles.snapshot()).toEqual([
    { method: '/a/Find', declared: true, state: 'open', requests: 21, accepts: 0, window: 3000, refused: 1 },
  ]);
  expect(changes).toEqual(['/a/Find open']);
  throttles.clear();
  expect(throttles.snapshot()).toEqual([]);
  expect(throttles.refused).toBe(1);
});

test('undeclared methods beyond a thousand share one', () => {
  const { throttles } = setUp();
  for (let i = 0; i < MAX_THROTTLES; i++) throttles.of(`/a/${i}`, POLICY, false);
  const shared = throttles.of('/a/beyond', POLICY, false);
  expect(throttles.of('/a/further', POLICY, false)).toBe(shared);
  expect(throttles.of('/a/0', POLICY, false)).not.toBe(shared);
  // Whoever sends strange names must not take the throttle of a method that the client declares.
  expect(throttles.of('/a/Find', POLICY, true)).not.toBe(shared);
  shared.ended('rejected');
  expect(throttles.snapshot()).toMatchObject([{ method: OTHER_METHODS, declared: false, requests: 1 }]);
});
