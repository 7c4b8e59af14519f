import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../../core/random.js';
import { ConnectGate } from './connect-gate.js';

let clock: FakeClock;
let gate: ConnectGate;
let connected: number[];
let leave: (() => void)[];

beforeEach(() => {
  clock = new FakeClock();
  gate = new ConnectGate(clock, seededRandom(1));
  connected = [];
  leave = [];
});

function enter(count: number): void {
  for (let i = 0; i < count; i++) {
    const number = leave.length;
    leave.push(gate.enter(() => connected.push(number)));
  }
}

const turn = (): Promise<void> => Promise.resolve();
const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

test('a few endpoints connect in the turn in which they enter', async () => {
  enter(32);
  expect(connected).toEqual([]);
  await turn();
  expect(sorted(connected)).toEqual(all(32));
});

test('at most 32 of many connect at the same time; each one that finishes admits one more', async () => {
  enter(1000);
  await turn();
  expect(connected).toHaveLength(32);
  for (let done = 0; done < 1000; done++) {
    leave[connected[done]!]!();
    await turn();
    expect(connected).toHaveLength(Math.min(1000, done + 33));
  }
  expect(sorted(connected)).toEqual(all(1000));
  expect(clock.pendingTimers).toBe(0);
});

test('each client admits endpoints in its own random order, not in list order', async () => {
  enter(1000);
  await turn();
  const mean = connected.reduce((sum, number) => sum + number, 0) / 32;
  // 32 out of 1000 at random: four standard deviations of the mean are 204.
  expect(Math.abs(mean - 499.5)).toBeLessThan(204);
  const other = new ConnectGate(clock, seededRandom(2));
  const others: number[] = [];
  for (let i = 0; i < 1000; i++) other.enter(() => others.push(i));
  await turn();
  expect(others).not.toEqual(connected);
});

test('hosts that do not answer delay the others by one second', async () => {
  enter(100);
  await turn();
  clock.advance(999);
  await turn();
  expect(connected).toHaveLength(32);
  clock.advance(1);
  await turn();
  expect(connected).toHaveLength(64);
  clock.advance(1000);
  await turn();
  clock.advance(1000);
  await turn();
  expect(sorted(connected)).toEqual(all(100));
});

test('an attempt that finishes after its second does not free its slot again', async () => {
  enter(200);
  await turn();
  const slow = connected.slice();
  clock.advance(1000);
  await turn();
  for (const number of slow) leave[number]!();
  await turn();
  expect(connected).toHaveLength(64);
});

test('leaving twice frees one slot', async () => {
  enter(100);
  await turn();
  for (let i = 0; i < 5; i++) leave[connected[0]!]!();
  await turn();
  expect(connected).toHaveLength(33);
});

test('an endpoint that leaves while it waits never connects and takes no slot', async () => {
  enter(100);
  for (const number of all(100).slice(10)) leave[number]!();
  await turn();
  expect(sorted(connected)).toEqual(all(10));
  enter(22);
  await turn();
  expect(connected).toHaveLength(32);
});

test('endpoints that leave while hosts do not answer are forgotten at once, however often the list changes', async () => {
  let draws = 0;
  gate = new ConnectGate(clock, () => {
    draws++;
    return 0.5;
  });
  enter(32);
  await turn();
  const silent = connected.length;
  for (let list = 0; list < 100; list++) {
    enter(10);
    for (const number of all(10)) leave[leave.length - 1 - number]!();
  }
  enter(2);
  draws = 0;
  leave[connected[0]!]!();
  await turn();
  expect(connected).toHaveLength(silent + 1);
  // One of the two that wait, and none of the thousand that have left.
  expect(draws).toBe(1);
});

test('each of those that stay is admitted once, whoever leaves in between', async () => {
  enter(500);
  await turn();
  const gone = new Set(all(500).filter((number) => number % 3 === 0 && !connected.includes(number)));
  for (const number of gone) leave[number]!();
  for (let done = 0; done < connected.length; done++) {
    leave[connected[done]!]!();
    await turn();
  }
  expect(sorted(connected)).toEqual(all(500).filter((number) => !gone.has(number)));
});

test('when all leave in one turn, none of those that wait connects', async () => {
  enter(1000);
  await turn();
  for (const each of leave) each();
  await turn();
  expect(connected).toHaveLength(32);
  expect(clock.pendingTimers).toBe(0);
  enter(1);
  await turn();
  expect(connected).toHaveLength(33);
});

test('an endpoint that enters while others connect is admitted in its turn', async () => {
  enter(33);
  await turn();
  const last = all(33).find((number) => !connected.includes(number))!;
  for (const number of connected.slice()) leave[number]!();
  enter(1);
  await turn();
  expect(sorted(connected.slice(32))).toEqual(sorted([last, 33]));
});

test('an attempt that ends at once admits the next one, for any number of them', async () => {
  let done = 0;
  for (let i = 0; i < 50_000; i++) {
    const leaveAtOnce = gate.enter(() => {
      done++;
      leaveAtOnce();
    });
  }
  for (let turns = 0; done < 50_000 && turns < 50_000; turns++) await turn();
  expect(done).toBe(50_000);
  expect(clock.pendingTimers).toBe(0);
});
