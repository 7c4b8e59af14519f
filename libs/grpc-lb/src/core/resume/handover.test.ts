import { describe, expect, test } from 'vitest';
import {
  NOT_FOUND,
  OK,
  OUT_OF_RANGE,
  setUp,
  UNAVAILABLE,
} from '../../../../../test/support/streams/scripted-stream.js';

describe('a move', () => {
  test('delivers from the old call until the new one is level, then cancels the old one', () => {
    const { told, first, move } = setUp();
    first.tokens('1', '2');
    const next = move();
    expect(next.request).toBe('all after 2');
    first.tokens('3', '4');
    next.tokens('3');
    expect(first.cancelled).toBe(false);
    next.tokens('4');
    expect(first.cancelled).toBe(true);
    next.tokens('5');
    expect(told).toEqual(['1', '2', '3', '4', '(moved)', '5']);
  });

  test('ends with the headers of the new call, if the old one has said nothing since', () => {
    const { told, first, move } = setUp();
    first.tokens('1');
    const next = move();
    next.headers();
    expect(first.cancelled).toBe(true);
    next.tokens('1', '2');
    expect(told).toEqual(['1', '(moved)', '2']);
  });

  test('does not begin without a token, nor a second time', () => {
    const { stream, first, move } = setUp();
    expect(stream.move()).toBe(false);
    first.message('a');
    expect(stream.move()).toBe(false);
    first.tokens('1');
    move();
    expect(stream.move()).toBe(false);
  });

  test('waits for the next token after messages that nothing identifies', () => {
    const { stream, first } = setUp();
    first.tokens('1').message('a');
    expect(stream.movable).toBe(false);
    first.tokens('2');
    expect(stream.movable).toBe(true);
  });

  test('holds back messages of the old call that nothing identifies; the new call delivers them', () => {
    const { told, first, move } = setUp();
    first.tokens('1');
    const next = move();
    first.message('a').tokens('2');
    expect(told).toEqual(['1']);
    next.message('a').tokens('2');
    expect(told).toEqual(['1', '(moved)', 'a', '2']);
  });

  test('delivers what it has held back, if the new call fails', () => {
    const { told, first, move, stream } = setUp();
    first.tokens('1');
    const next = move();
    first.message('a').tokens('2');
    next.end(NOT_FOUND);
    expect(told).toEqual(['1', '(stayed)', 'a', '2']);
    expect(stream.movable).toBe(true);
    first.tokens('3');
    expect(told.at(-1)).toBe('3');
  });

  test('a message counts when it is delivered, not while it is held back, and once', () => {
    const { owner, first, move } = setUp();
    const taken: string[] = [];
    owner.taken = ({ name }) => void taken.push(name);
    first.tokens('1').message('', { token: '2', bookmark: true });
    const next = move();
    first.message('a');
    expect(taken).toEqual(['1', '']);
    next.message('a').tokens('3');
    expect(taken).toEqual(['1', '', 'a', '3']);
  });

  test('does not read the old call any more when too much is held back', () => {
    const { first, move } = setUp();
    first.tokens('1');
    move();
    for (let i = 0; i < 100; i++) first.message('a');
    const { reads } = first;
    first.message('a');
    expect(first.reads).toBe(reads);
  });

  test('does not read the old call any more when the new one is behind by much text', () => {
    const { first, move } = setUp();
    first.tokens('0');
    const next = move();
    for (let i = 1; i <= 16; i++) first.tokens(String(i).padEnd(16_384));
    const reads = first.reads;
    next.tokens('0');
    expect(first.reads).toBe(reads);
    next.tokens('1'.padEnd(16_384));
    expect(first.reads).toBe(reads + 1);
  });

  test('does not read the old call any more when the new one is too far behind', () => {
    const { first, move } = setUp();
    first.tokens('0');
    const next = move();
    for (let i = 1; i <= 1000; i++) first.tokens(String(i));
    const { reads } = first;
    next.tokens('1');
    expect(first.reads).toBe(reads + 1);
  });

  test('takes too long: the new call is given up if it is behind, and takes over if it is level', () => {
    const { clock, told, first, move } = setUp();
    first.tokens('1');
    const behind = move();
    first.tokens('2');
    clock.advance(5000);
    expect(behind.cancelled).toBe(true);
    const level = move();
    clock.advance(5000);
    expect(first.cancelled).toBe(true);
    level.tokens('3');
    expect(told).toEqual(['1', '2', '(stayed)', '(moved)', '3']);
  });

  test('is given up after that time if the new call is silent, and the old one is not', () => {
    const { clock, told, first, move } = setUp();
    first.tokens('1');
    const silent = move();
    first.message('a');
    clock.advance(5000);
    expect(silent.cancelled).toBe(true);
    expect(told).toEqual(['1', '(stayed)', 'a']);
  });

  test('is given up after that time if the new call has not even been sent', () => {
    const { clock, stream, first, last } = setUp();
    first.tokens('1');
    stream.move();
    clock.advance(5000);
    expect(last().cancelled).toBe(true);
    expect(first.cancelled).toBe(false);
  });

  test('whose old call is lost goes on with the new one, which repeats what is missing', () => {
    const { told, calls, first, move } = setUp();
    first.tokens('1');
    const next = move();
    first.tokens('2').message('a');
    first.end(UNAVAILABLE);
    next.tokens('2').message('a').tokens('3');
    expect(told).toEqual(['1', '2', '(moved)', 'a', '3']);
    expect(calls).toHaveLength(2);
  });

  test('whose both calls are lost resumes after the last message that was delivered', () => {
    const { clock, told, first, last, move } = setUp();
    first.tokens('1');
    const next = move();
    first.tokens('2');
    next.end(UNAVAILABLE);
    first.end(UNAVAILABLE);
    clock.advance(50);
    expect(last()).toMatchObject({ why: 'resume', request: 'all after 2' });
    last().tokens('3');
    expect(told).toEqual(['1', '2', '(stayed)', '3']);
  });

  test.each([OK, NOT_FOUND])('whose old call ends with %i is over, after what was held back', (code) => {
    const { told, first, move, clock } = setUp();
    first.tokens('1');
    const next = move();
    first.message('a').end(code);
    expect(told).toEqual(['1', 'a', `(${code})`]);
    expect(next.cancelled).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a subscriber that leaves in the middle ends both calls', () => {
    const { stream, clock, first, move } = setUp();
    first.tokens('1');
    const next = move();
    stream.stop();
    expect([first.cancelled, next.cancelled, clock.pendingTimers]).toEqual([true, true, 0]);
  });

  test('a token that is too old for the new backend changes nothing', () => {
    const { told, first, move } = setUp({ onGap: () => 'anew' });
    first.tokens('1');
    move().end(OUT_OF_RANGE);
    first.tokens('2');
    expect(told).toEqual(['1', '(stayed)', '2']);
  });
});

test('a subscriber that wants no more is not read for; the new call of a move is, while it is behind', () => {
  const { owner, told, stream, first, move } = setUp({ dedupe: ({ name }) => name });
  first.tokens('1').message('a');
  owner.wantsMore = false;
  const { reads } = first;
  const next = move().headers();
  expect([first.reads, next.reads]).toEqual([reads, 1]);
  next.message('a');
  expect([first.reads, next.reads]).toEqual([reads, 1]);
  expect(told).toEqual(['1', 'a', '(moved)']);
  owner.wantsMore = true;
  stream.pump();
  expect(next.reads).toBe(2);
});

test('a move brings no message to a subscriber that wants no more', () => {
  const { owner, told, first, move } = setUp();
  first.tokens('1');
  owner.wantsMore = false;
  const next = move().headers();
  expect(next.reads).toBe(0);
  expect(told).toEqual(['1', '(moved)']);
});
