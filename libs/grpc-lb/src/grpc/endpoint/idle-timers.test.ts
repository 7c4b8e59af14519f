import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import type { Connection } from './connection.js';
import { IdleTimers } from './idle-timers.js';

let clock: FakeClock;
let timeout: number;
let extra: boolean;
let idle: Connection[];
let timers: IdleTimers;

const connection = (): Connection => ({ inFlight: 0, idleSince: 0, retiring: false }) as unknown as Connection;

beforeEach(() => {
  clock = new FakeClock();
  timeout = 60_000;
  extra = true;
  idle = [];
  timers = new IdleTimers(clock, {
    idleTimeout: () => timeout,
    isExtra: () => extra,
    onIdle: (each) => void idle.push(each),
  });
});

test('a shorter timeout counts from the end of the last call, not from now, and not when the old one would end', () => {
  const one = connection();
  timers.start(one);
  clock.advance(5000);
  timeout = 8000;
  timers.reconsider(one);
  clock.advance(2999);
  expect(idle).toEqual([]);
  clock.advance(1);
  expect(idle).toEqual([one]);
});

test('a connection whose time has been longer than the new timeout is idle at once', () => {
  const one = connection();
  timers.start(one);
  clock.advance(5000);
  timeout = 1000;
  timers.reconsider(one);
  expect(idle).toEqual([one]);
  expect(clock.pendingTimers).toBe(0);
});

test('a connection that becomes one too many has all of the time from now on', () => {
  extra = false;
  const one = connection();
  timers.start(one);
  clock.advance(100_000);
  expect(clock.pendingTimers).toBe(0);
  extra = true;
  timers.reconsider(one);
  clock.advance(59_999);
  expect(idle).toEqual([]);
  clock.advance(1);
  expect(idle).toEqual([one]);
});

test('a connection with calls has no time', () => {
  const one = connection();
  Object.assign(one, { inFlight: 1 });
  timers.reconsider(one);
  expect(clock.pendingTimers).toBe(0);
});
