import { expect, test } from 'vitest';
import { FakeClock } from '../../../../test/support/time/fake-clock.js';
import { Coalescer } from './coalescer.js';

function coalescer() {
  const clock = new FakeClock();
  const acts: number[] = [];
  return { clock, acts, subject: new Coalescer(3, 1000, clock, () => acts.push(Math.round(clock.now()))) };
}

test('runs at once for a burst, and then once in each interval', () => {
  const { clock, acts, subject } = coalescer();
  for (let i = 0; i < 4000; i++) {
    subject.request();
    clock.advance(1);
  }
  expect(acts).toEqual([0, 1, 2, 1000, 2000, 3000, 4000]);
});

test('runs for the last request, and leaves no timer', () => {
  const { clock, acts, subject } = coalescer();
  for (let i = 0; i < 10; i++) subject.request();
  expect(acts).toHaveLength(3);
  clock.advance(10_000);
  expect([acts.length, clock.pendingTimers]).toEqual([4, 0]);
});

test('does nothing more after it is stopped', () => {
  const { clock, acts, subject } = coalescer();
  for (let i = 0; i < 10; i++) subject.request();
  subject.stop();
  expect(clock.pendingTimers).toBe(0);
  clock.advance(10_000);
  expect(acts).toHaveLength(3);
});
