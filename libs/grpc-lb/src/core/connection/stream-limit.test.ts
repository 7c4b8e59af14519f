import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { StreamLimit } from './stream-limit.js';

function streamLimit() {
  const clock = new FakeClock();
  const told: number[] = [];
  const limit: StreamLimit = new StreamLimit(clock, () => told.push(limit.calls));
  return { clock, told, limit };
}

test.each([
  [undefined, undefined, 1, 100],
  [undefined, 250, 1, 250],
  [10, undefined, 0, 10],
  [10, undefined, 2, 8],
  [10, 4, 2, 4],
  [10, 9, 2, 8],
  [1, undefined, 2, 0],
  [0, undefined, 0, 0],
])(
  'a peer that allows %s, with %s configured and %i watches, gets at most %i calls',
  (peer, configured, watches, calls) => {
    const { limit } = streamLimit();
    limit.configure(configured);
    limit.begin(peer);
    limit.watched(watches);
    expect(limit.calls).toBe(calls);
  },
);

test('a limit that changes all the time applies to picks at once, and is reported once a second', () => {
  const { clock, told, limit } = streamLimit();
  limit.begin(10);
  for (let i = 1; i <= 10_000; i++) {
    limit.announced(i % 2);
    expect(limit.calls).toBe(i % 2);
    clock.advance(1);
  }
  expect(told.length).toBeLessThanOrEqual(5 + 10);
  limit.announced(7);
  clock.advance(1000);
  expect([told.at(-1), clock.pendingTimers]).toEqual([7, 0]);
});

test('settings with the same limit are not reported', () => {
  const { told, limit } = streamLimit();
  limit.begin(10);
  for (let i = 0; i < 3; i++) limit.announced(10);
  expect(told).toEqual([]);
});
