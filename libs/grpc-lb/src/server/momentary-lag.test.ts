import { expect, test } from 'vitest';
import { MomentaryLag } from './momentary-lag.js';

function create(): { lag: MomentaryLag; at: (now: number) => void; turnEnds: () => void; asked: () => number } {
  let now = 0;
  const asked: (() => void)[] = [];
  return {
    lag: new MomentaryLag(
      () => now,
      (callback) => asked.push(callback),
    ),
    at: (time) => (now = time),
    turnEnds: () => asked.splice(0).forEach((callback) => callback()),
    asked: () => asked.length,
  };
}

test('is the time from the arrival of a call to the end of the turn', () => {
  const { lag, at, turnEnds } = create();
  expect(lag.read()).toBe(0);
  at(100);
  lag.sample();
  at(107);
  turnEnds();
  expect(lag.read()).toBe(7);
  at(200);
  lag.sample();
  at(201);
  turnEnds();
  expect(lag.read()).toBe(1);
});

test('of a turn in progress is its duration so far, or that of the previous turn', () => {
  const { lag, at, turnEnds } = create();
  lag.sample();
  at(5);
  turnEnds();
  lag.sample();
  at(8);
  expect(lag.read()).toBe(5);
  at(12);
  expect(lag.read()).toBe(7);
});

test('is measured once for all calls of a turn, from the first', () => {
  const { lag, at, turnEnds, asked } = create();
  lag.sample();
  at(3);
  lag.sample();
  expect(asked()).toBe(1);
  at(4);
  turnEnds();
  expect(lag.read()).toBe(4);
});

test('is none after a second without a call', () => {
  const { lag, at, turnEnds } = create();
  lag.sample();
  at(50);
  turnEnds();
  at(1050);
  expect(lag.read()).toBe(50);
  at(1051);
  expect(lag.read()).toBe(0);
});
