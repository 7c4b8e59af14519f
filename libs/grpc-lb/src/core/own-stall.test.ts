import { beforeEach, describe, expect, test } from 'vitest';
import type { Cancel, Clock } from './clock.js';
import { BEAT_MS, OwnStall, STALL_MS } from './own-stall.js';

/** An event loop that can stall: timers due meanwhile fire when it resumes, in the order that the test picks. */
class StallingClock implements Clock {
  time = 0;
  readonly timers: { readonly at: number; readonly callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer = { at: this.time + delayMs, callback };
    this.timers.push(timer);
    return () => {
      const index = this.timers.indexOf(timer);
      if (index !== -1) this.timers.splice(index, 1);
    };
  }

  /** Each timer fires when it is due. */
  run(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.toSorted((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.time = next.at;
      this.fire();
    }
    this.time = end;
  }

  /** Advances time without firing timers. */
  stall(ms: number): void {
    this.time += ms;
  }

  /** Fires due timers. */
  fire(): void {
    const due = this.timers.filter(({ at }) => at <= this.time);
    for (const timer of due) {
      this.timers.splice(this.timers.indexOf(timer), 1);
      timer.callback();
    }
  }
}

let clock: StallingClock;
let ownStall: OwnStall;
let stop: Cancel;

beforeEach(() => {
  clock = new StallingClock();
  ownStall = new OwnStall(clock);
  stop = ownStall.watch();
});

describe('an event loop without stalls', () => {
  test('reports none, and is awake all the time', () => {
    clock.run(10_000);
    expect([ownStall.endedAt, ownStall.wasStalledSince(0), ownStall.awake]).toEqual([-Infinity, false, 10_000]);
  });

  test('may be slightly late', () => {
    for (let i = 0; i < 50; i++) {
      clock.stall(BEAT_MS + STALL_MS - 1);
      clock.fire();
    }
    expect(ownStall.wasStalledSince(0)).toBe(false);
    expect(ownStall.awake).toBe(clock.time);
  });
});

describe('a stall', () => {
  beforeEach(() => {
    clock.run(1000);
    clock.stall(900);
  });

  test('is seen by a timer that fires before the beat', () => {
    expect(ownStall.wasStalledSince(1500)).toBe(true);
    expect(ownStall.endedAt).toBe(1900);
    expect(ownStall.awake).toBe(1100 + STALL_MS);
  });

  test('is remembered after it', () => {
    clock.fire();
    clock.run(5000);
    expect(ownStall.endedAt).toBe(1900);
    expect(ownStall.awake).toBe(clock.time - 800 + STALL_MS);
  });

  test('affects what began before its end, and nothing later', () => {
    clock.fire();
    clock.run(50);
    expect([100, 1500, 1900, 1901].map((since) => ownStall.wasStalledSince(since))).toEqual([true, true, true, false]);
  });

  test('affects what was in flight during it and ends before the backlog is processed', () => {
    expect(ownStall.explains(1000, clock.time)).toBe(true);
    clock.fire();
    expect(ownStall.explains(1000, clock.time)).toBe(true);
    clock.run(800);
    expect([1000, 1500, 1950].map((since) => ownStall.explains(since, clock.time))).toEqual([true, false, false]);
  });

  test('does not affect what ends long after it, whenever that started', () => {
    clock.fire();
    clock.run(2000);
    expect([-30_000, 0, 1000].map((since) => ownStall.explains(since, clock.time))).toEqual([false, false, false]);
  });

  test('after another one moves the end, and both count as lost time', () => {
    clock.fire();
    clock.run(500);
    clock.stall(BEAT_MS + STALL_MS);
    clock.fire();
    expect(ownStall.endedAt).toBe(clock.time);
    expect(ownStall.awake).toBe(clock.time - 800 + STALL_MS);
  });
});

describe('a wait', () => {
  let ends: number[];
  let cancel: Cancel;

  beforeEach(() => {
    ends = [];
    cancel = ownStall.after(1000, () => ends.push(clock.time));
  });

  test('ends after its time', () => {
    clock.run(5000);
    expect(ends).toEqual([1000]);
  });

  test('goes on after a stall, for the time that was lost', () => {
    clock.run(500);
    clock.stall(5000);
    clock.fire();
    expect(ends).toEqual([]);
    clock.run(5000);
    expect(ends).toEqual([6000 - BEAT_MS - STALL_MS]);
  });

  test('ends no more when it is canceled, also after a stall', () => {
    clock.stall(5000);
    clock.fire();
    cancel();
    clock.run(5000);
    expect(ends).toEqual([]);
  });
});

test('stalls are not recorded without watchers, and the last one to stop clears the timer', () => {
  const stopAnother = ownStall.watch();
  stop();
  stop();
  expect(clock.timers).toHaveLength(1);
  stopAnother();
  expect(clock.timers).toHaveLength(0);
  clock.stall(60_000);
  expect(ownStall.wasStalledSince(0)).toBe(false);
  ownStall.watch();
  clock.run(1000);
  expect(ownStall.wasStalledSince(0)).toBe(false);
});

test('awake never goes back', () => {
  let last = ownStall.awake;
  for (let i = 1; i < 200; i++) {
    clock.stall((i * 37) % 450);
    expect(ownStall.awake).toBeGreaterThanOrEqual(last);
    last = ownStall.awake;
    if (i % 3 === 0) clock.fire();
  }
});
