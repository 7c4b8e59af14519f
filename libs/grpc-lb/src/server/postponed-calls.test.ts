import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type { CriticalityLevel } from '../core/call/criticality.js';
import { type PostponedCall, PostponedCalls } from './postponed-calls.js';
import { shedStatus } from './shed-status.js';

const METADATA = new Metadata();

/** Admits so many calls at a time; `turn` runs a check phase of the event loop. */
function setUp({ room, perTurn = 1 }: { room: number; perTurn?: number }) {
  const log: string[] = [];
  let immediates: (() => void)[] = [];
  const overdue = new Set<PostponedCall>();
  const calls = new PostponedCalls({
    decide: (_, ready) => (ready >= room ? shedStatus(METADATA, 'event_loop_delay') : undefined),
    startsPerTurn: () => perTurn,
    isOverdue: (call) => overdue.has(call),
    starts: () => {},
    immediate: (callback) => void immediates.push(callback),
  });
  const add = (name: string, level: CriticalityLevel = 'critical'): PostponedCall => {
    const decided: PostponedCall['decided'] = (refusal) => void log.push(`${refusal ? 'shed' : 'start'} ${name}`);
    const call = { level, metadata: METADATA, arrivedAt: 0, decided };
    calls.add(call);
    return call;
  };
  const turn = (): string[] => {
    const due = immediates;
    immediates = [];
    for (const each of due) each();
    return log.splice(0);
  };
  return { calls, overdue, add, turn, waits: () => immediates.length > 0 };
}

test('the most important calls of a turn are admitted first, and those that are shed are told before any starts', () => {
  const { add, turn } = setUp({ room: 2 });
  add('a', 'sheddable');
  add('b', 'critical');
  add('c', 'sheddable_plus');
  add('d', 'critical_plus');
  expect(turn()).toEqual(['shed c', 'shed a']);
  expect(turn()).toEqual(['start d']);
  expect(turn()).toEqual([]);
  expect(turn()).toEqual(['start b']);
});

test('calls that arrive while one runs are decided upon before the next one starts', () => {
  const { add, turn } = setUp({ room: 2 });
  add('a', 'sheddable');
  add('b', 'sheddable');
  turn();
  expect(turn()).toEqual(['start a']);
  add('c', 'critical');
  add('d', 'sheddable');
  expect(turn()).toEqual(['shed d']);
  expect(turn()).toEqual(['start c']);
  turn();
  expect(turn()).toEqual(['start b']);
});

test('short calls start several in a turn', () => {
  const { add, turn } = setUp({ room: 10, perTurn: 3 });
  for (const name of ['a', 'b', 'c', 'd']) add(name);
  turn();
  expect(turn()).toEqual(['start a', 'start b', 'start c']);
  turn();
  expect(turn()).toEqual(['start d']);
});

test('nothing is scheduled when no call waits', () => {
  const { add, turn, waits, calls } = setUp({ room: 1 });
  add('a');
  add('b');
  while (waits()) turn();
  expect(calls.ready).toBe(0);
  add('c');
  expect(waits()).toBe(true);
});

test('an admitted call does not wait for more important ones for ever', () => {
  const { add, overdue, turn } = setUp({ room: 3 });
  const old = add('a', 'sheddable');
  add('b');
  add('c');
  turn();
  expect(turn()).toEqual(['start b']);
  overdue.add(old);
  turn();
  expect(turn()).toEqual(['start a']);
  turn();
  expect(turn()).toEqual(['start c']);
});
