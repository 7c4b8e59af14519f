import { expect, test } from 'vitest';
import { ReconnectBackoff } from './reconnect-backoff.js';

const backoff = (): ReconnectBackoff => new ReconnectBackoff(() => 0.5, { initial: 1000, max: 5000 });

test('the first short-lived connection is replaced at once, later ones after a growing backoff', () => {
  const waits = backoff();
  const delays = [1, 2, 3, 4, 5, 6, 7].map((i) => waits.lost({ readyAt: i * 100, answered: false }, i * 100 + 50));
  expect(delays.map(Math.round)).toEqual([0, 1000, 1600, 2560, 4096, 5000, 5000]);
});

test.each([
  ['has lived for 10 s', { readyAt: 1000, answered: false }, 11_000],
  ['has answered a call', { readyAt: 1000, answered: true }, 1001],
])('a connection that %s ends the backoff', (_, connection, now) => {
  const waits = backoff();
  for (let i = 0; i < 5; i++) waits.lost({ readyAt: i * 10, answered: false }, i * 10 + 5);
  expect(waits.lost(connection, now)).toBe(0);
  expect(waits.lost({ readyAt: now, answered: false }, now + 10)).toBe(0);
  expect(waits.lost({ readyAt: now + 20, answered: false }, now + 30)).toBe(1000);
});

test('several that are lost together count as one', () => {
  const waits = backoff();
  expect([0, 1, 2, 3].map((i) => waits.lost({ readyAt: i, answered: false }, 100))).toEqual([0, 0, 0, 0]);
});

test('several that are lost in turn, each after the replacement of another, count as well', () => {
  const waits = backoff();
  // Three connections live for three seconds each, and one of them is lost every second.
  const delays = [1, 2, 3, 4, 5, 6, 7].map((i) => waits.lost({ readyAt: (i - 3) * 1000, answered: false }, i * 1000));
  expect(delays.map(Math.round)).toEqual([0, 0, 0, 1000, 1000, 1000, 1600]);
});

test('after a good one that is lost with others the next bad one is the first', () => {
  const waits = backoff();
  const lost = (readyAt: number, answered: boolean, now: number): number => waits.lost({ readyAt, answered }, now);
  expect([lost(0, true, 10), lost(1, false, 10), lost(2, false, 11)]).toEqual([0, 0, 0]);
  expect(lost(12, false, 20)).toBe(0);
  expect(lost(21, false, 30)).toBe(1000);
});

test('each wait has jitter of 20 %', () => {
  const waitWith = (random: number): number => {
    const waits = new ReconnectBackoff(() => random, { initial: 1000, max: 5000 });
    waits.lost({ readyAt: 0, answered: false }, 1);
    return waits.lost({ readyAt: 2, answered: false }, 3);
  };
  expect([waitWith(0), waitWith(0.999_999)].map(Math.round)).toEqual([800, 1200]);
});
