import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../../random.js';
import { LinkTurns } from './link-turns.js';

/** Members whose links each take `cost` milliseconds to open; returns when each turn began, and how many it opened. */
function turns(count: number, cost: number): [number, number][] {
  const clock = new FakeClock();
  const log: [number, number][] = [];
  const run = (): void => {
    const turn: [number, number] = [clock.now(), 0];
    log.push(turn);
    opened = () => turn[1]++;
    links.run();
  };
  let opened = (): unknown => undefined;
  const links = new LinkTurns({ clock, random: seededRandom(1) }, run);
  for (let i = 0; i < count; i++) {
    links.add({
      queued: false,
      due: 'open',
      settle: () => {
        opened();
        if (cost > 0) clock.advance(cost);
      },
    });
  }
  run();
  clock.advance(60_000);
  expect(clock.pendingTimers).toBe(0);
  return log;
}

test('few links are opened at once, without a timer', () => {
  expect(turns(250, 0)).toEqual([[0, 250]]);
});

test('many links are opened 250 at a time, each once, with at least 20 ms in between', () => {
  expect(turns(600, 0)).toEqual([
    [0, 250],
    [20, 250],
    [40, 100],
  ]);
});

test.each([
  ['four times as long as the turn', 0.1, 25 + 100],
  ['a second at most', 2, 500 + 1000],
])('calls then run for %s', (_, cost, second) => {
  expect(turns(300, cost).map(([at]) => Math.round(at))).toEqual([0, second]);
});
