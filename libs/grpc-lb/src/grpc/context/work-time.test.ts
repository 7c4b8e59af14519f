import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { systemClock } from './system-clock.js';
import { workTimeOf } from './work-time.js';

const spent = (action: () => void): number => {
  const before = workTimeOf(systemClock);
  action();
  return workTimeOf(systemClock) - before;
};

test('a process that waits does not work, and one that computes does', () => {
  const waiting = new Int32Array(new SharedArrayBuffer(4));
  expect(spent(() => Atomics.wait(waiting, 0, 0, 200))).toBeLessThan(100);
  const enough = workTimeOf(systemClock) + 5;
  expect(
    spent(() => {
      while (workTimeOf(systemClock) < enough);
    }),
  ).toBeGreaterThan(4);
});

test('virtual time passes only when the test says so', () => {
  const clock = new FakeClock(5);
  expect(workTimeOf(clock)).toBe(5);
  clock.advance(7);
  expect(workTimeOf(clock)).toBe(12);
});
