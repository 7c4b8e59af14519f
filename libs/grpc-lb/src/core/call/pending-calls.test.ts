import { expect, test } from 'vitest';
import { type Offer, PendingCalls } from './pending-calls.js';

/** A queue whose calls are taken as the test says. */
function queue(): { calls: PendingCalls<string>; taken: string[]; answer: Map<string, Offer>; offered: string[] } {
  const taken: string[] = [];
  const offered: string[] = [];
  const answer = new Map<string, Offer>();
  const calls = new PendingCalls<string>((call) => {
    offered.push(call);
    const offer = answer.get(call) ?? answer.get('*') ?? 'taken';
    if (offer === 'taken') taken.push(call);
    return offer;
  });
  return { calls, taken, answer, offered };
}

test('a call that can be sent never waits', () => {
  const { calls, taken } = queue();
  expect(calls.add('a', 0)).toBe(true);
  expect(calls.size).toBe(0);
  expect(taken).toEqual(['a']);
});

test('calls wait up to the limit, and go in their order', () => {
  const { calls, taken, answer } = queue();
  answer.set('*', 'blocked');
  expect(['a', 'b', 'c'].map((call) => calls.add(call, 2))).toEqual([true, true, false]);
  expect(calls.size).toBe(2);
  answer.set('*', 'taken');
  // Nothing overtakes them, even if it could be sent now.
  expect(calls.add('d', 5)).toBe(true);
  calls.wake();
  expect(taken).toEqual(['a', 'b', 'd']);
  expect(calls.size).toBe(0);
  expect(calls.add('e', 0)).toBe(true);
});

test('what only one call waits for does not hold back the others', () => {
  const { calls, taken, answer } = queue();
  answer.set('picky', 'waits');
  calls.add('picky', 5);
  calls.add('a', 5);
  expect({ taken, size: calls.size }).toEqual({ taken: ['a'], size: 1 });
  calls.wake();
  expect(calls.size).toBe(1);
  answer.clear();
  calls.wake();
  expect({ taken, size: calls.size }).toEqual({ taken: ['a', 'picky'], size: 0 });
});

test('behind a call that is blocked none is offered', () => {
  const { calls, answer, offered } = queue();
  answer.set('*', 'blocked');
  for (const call of ['a', 'b', 'c']) calls.add(call, 9);
  offered.length = 0;
  calls.wake();
  expect(offered).toEqual(['a']);
});

test('it knows who waits behind a call, and whether one is blocked', () => {
  const { calls, answer } = queue();
  expect(calls.blocked).toBe(false);
  answer.set('*', 'blocked');
  for (const call of ['a', 'b', 'c']) calls.add(call, 9);
  expect(calls.blocked).toBe(true);
  expect([...calls.behind('a')]).toEqual(['b', 'c']);
  expect([...calls.behind('c')]).toEqual([]);
  expect([...calls.behind('unknown')]).toEqual([]);
  expect([calls.sizeWith('a'), calls.sizeWith('unknown')]).toEqual([3, 4]);
});

test('a call that leaves is not counted any more; an empty queue blocks no call', () => {
  const { calls, taken, answer } = queue();
  answer.set('*', 'blocked');
  calls.add('a', 1);
  calls.remove('unknown');
  expect(calls.size).toBe(1);
  calls.remove('a');
  expect(calls.size).toBe(0);
  answer.set('*', 'taken');
  expect(calls.add('b', 0)).toBe(true);
  expect(taken).toEqual(['b']);
});

test('waking while calls are offered offers them once more, in order, and never twice at a time', () => {
  const taken: string[] = [];
  let room = 1;
  const calls: PendingCalls<string> = new PendingCalls((call) => {
    if (room === 0) return 'blocked';
    room--;
    taken.push(call);
    // As when sending shows that another connection has room.
    if (call === 'a') {
      room = 2;
      calls.wake();
    }
    return 'taken';
  });
  room = 0;
  for (const call of ['a', 'b', 'c', 'd']) calls.add(call, 9);
  room = 1;
  calls.wake();
  expect(taken).toEqual(['a', 'b', 'c']);
  expect(calls.size).toBe(1);
});

test('draining returns all in their order, and leaves an open queue', () => {
  const { calls, answer } = queue();
  answer.set('*', 'blocked');
  for (const call of ['a', 'b']) calls.add(call, 9);
  expect(calls.drain()).toEqual(['a', 'b']);
  expect(calls.size).toBe(0);
  answer.clear();
  expect(calls.add('c', 0)).toBe(true);
});

test('a call whose offer throws does not stop the queue for ever', () => {
  let fails = true;
  const taken: string[] = [];
  const calls = new PendingCalls<string>((call) => {
    if (!open) return 'blocked';
    if (fails) throw new Error('a bug');
    taken.push(call);
    return 'taken';
  });
  let open = false;
  calls.add('a', 9);
  open = true;
  expect(() => calls.wake()).toThrow('a bug');
  fails = false;
  calls.wake();
  expect(taken).toEqual(['a']);
});
