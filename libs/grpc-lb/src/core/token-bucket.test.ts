import { expect, test } from 'vitest';
import { FakeClock } from '../../../../test/support/time/fake-clock.js';
import { TokenBucket } from './token-bucket.js';

test('allows a burst of its size, then one per interval, and never holds more than its size', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(3, 100, clock);
  const takes = (): number => {
    let taken = 0;
    while (bucket.take()) taken++;
    return taken;
  };
  expect(takes()).toBe(3);
  clock.advance(99);
  expect(takes()).toBe(0);
  expect(bucket.wait).toBeCloseTo(1);
  clock.advance(1);
  expect(takes()).toBe(1);
  clock.advance(60_000);
  expect(takes()).toBe(3);
});

test('takes several tokens only all at once', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(3, 100, clock);
  expect(bucket.take(4)).toBe(false);
  expect(bucket.take(2.5)).toBe(true);
  expect(bucket.take(1)).toBe(false);
  clock.advance(50);
  expect(bucket.take(1)).toBe(true);
});

test('an event that cannot be prevented takes a token, but leaves no debt', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(2, 100, clock);
  for (let i = 0; i < 5; i++) bucket.spend();
  expect(bucket.wait).toBe(100);
  clock.advance(100);
  expect([bucket.take(), bucket.take()]).toEqual([true, false]);
});

test('charged work may go into debt, so that it takes a bounded share of the time', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(100, 0.5, clock);
  bucket.charge(60);
  bucket.charge(60);
  expect(bucket.wait).toBe(10.5);
  clock.advance(10.5);
  expect(bucket.wait).toBe(0);
  clock.advance(1_000_000);
  bucket.charge(101);
  expect(bucket.wait).toBe(1);
});

test('a refill in many small steps equals a single one', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(1, 10_000, clock);
  expect(bucket.take()).toBe(true);
  for (let i = 0; i < 99; i++) {
    clock.advance(100);
    expect(bucket.take()).toBe(false);
  }
  clock.advance(100);
  expect(bucket.take()).toBe(true);
});

test('after the wait that it names a token can be taken, whatever the rounding of refills', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(2, 60_000, clock);
  for (let i = 0; i < 1000; i++) {
    bucket.charge(1);
    clock.advance(1000 / ((i % 7) + 1));
    clock.advance(bucket.wait);
    expect(bucket.wait).toBe(0);
    expect(bucket.take()).toBe(true);
  }
});
