import { describe, expect, test } from 'vitest';
import {
  CANCELLED,
  OK,
  RESOURCE_EXHAUSTED,
  setUp,
  UNAVAILABLE,
} from '../../../../../test/support/streams/scripted-stream.js';

describe('a lost call', () => {
  test('that has delivered nothing begins anew', () => {
    const { clock, first, last } = setUp();
    first.end(UNAVAILABLE);
    clock.advance(50);
    expect(last().request).toBe('all');
  });

  test('backs off exponentially, and begins again with the first message', () => {
    const { clock, calls, first, last } = setUp();
    first.tokens('1');
    for (const [i, delay] of [50, 200, 400, 800, 1000, 1000].entries()) {
      last().end(UNAVAILABLE);
      clock.advance(delay - 1);
      expect(calls).toHaveLength(i + 1);
      clock.advance(1);
      expect(calls).toHaveLength(i + 2);
    }
    last().tokens('2').end(UNAVAILABLE);
    expect(clock.nextIn).toBe(50);
  });

  test('that lived for ten seconds counts as progress', () => {
    const { clock, first, last } = setUp({ maxAttempts: 1 });
    first.tokens('1').end(UNAVAILABLE);
    for (let i = 0; i < 5; i++) {
      clock.advance(50);
      last().headers();
      clock.advance(10_000);
      last().end(UNAVAILABLE);
    }
    expect(clock.nextIn).toBe(50);
  });

  test('that was sent a moment ago is no progress, however long it waited to be sent', () => {
    const { clock, first, last } = setUp({ maxAttempts: 2 });
    first.tokens('1').end(UNAVAILABLE);
    clock.advance(50);
    clock.advance(10_000);
    last().sent().headers().end(UNAVAILABLE);
    expect(clock.nextIn).toBe(200);
    clock.advance(200 + 10_000);
    last().sent().headers().end(UNAVAILABLE, { beginAgain: true });
    expect(clock.pendingTimers).toBe(0);
  });

  test('begins again at once if the server asks for it, but not in a circle', () => {
    const { clock, calls, first, last } = setUp();
    first.tokens('1');
    clock.advance(1000);
    first.end(UNAVAILABLE, { beginAgain: true });
    expect(calls).toHaveLength(2);
    last().tokens('2').end(UNAVAILABLE, { beginAgain: true });
    expect(calls).toHaveLength(2);
    expect(clock.nextIn).toBe(50);
  });

  test('ends the stream if messages would be delivered twice, and says why', () => {
    const { told, first } = setUp();
    first.tokens('1').message('a').message('b').end(UNAVAILABLE);
    expect(told.at(-1)).toBe(
      '(14: 2 messages since the last token would be delivered again, as nothing identifies them; set dedupe)',
    );
  });

  test('delivers them twice if the user allows it', () => {
    const { clock, told, first, last } = setUp({ dedupe: false });
    first.tokens('1').message('a').end(UNAVAILABLE);
    clock.advance(50);
    last().message('a').tokens('2');
    expect(told).toEqual(['1', 'a', 'a', '2']);
  });

  test('recognizes messages without a token by their identity', () => {
    const { clock, told, first, last } = setUp({ dedupe: ({ name }) => name });
    first.message('a').tokens('1').message('b').message('c').end(UNAVAILABLE);
    clock.advance(50);
    expect(last().request).toBe('all after 1');
    last().message('b').message('c').message('d').tokens('2');
    expect(told).toEqual(['a', '1', 'b', 'c', 'd', '2']);
  });

  test('takes the token of a bookmark, and does not deliver it', () => {
    const { clock, told, first, last } = setUp();
    first.tokens('1').message('', { token: '7', bookmark: true }).end(UNAVAILABLE);
    clock.advance(50);
    expect(last().request).toBe('all after 7');
    expect(told).toEqual(['1']);
  });

  test('drops several messages of one token, and no more, if the server repeats them', () => {
    const { clock, told, first, last } = setUp();
    first.message('a', { token: '1' }).message('b', { token: '1' }).end(UNAVAILABLE);
    clock.advance(50);
    last().message('a', { token: '1' }).message('b', { token: '1' }).message('c', { token: '1' });
    expect(told).toEqual(['a', 'b', 'c']);
  });

  test('that a server has canceled is resumed, and one that this side has canceled is not', () => {
    const { clock, told, first, last } = setUp({ codes: new Set([CANCELLED]) });
    first.tokens('1').end(CANCELLED);
    clock.advance(50);
    expect(last().request).toBe('all after 1');
    last().tokens('2').end(CANCELLED, { local: true });
    expect(told).toEqual(['1', '2', `(${CANCELLED})`]);
  });

  test('that has ended with OK is resumed if the stream has no end of its own', () => {
    const { clock, told, first, last, move } = setUp({ codes: new Set([OK]) });
    first.tokens('1').end(OK);
    clock.advance(50);
    const present = last().tokens('2');
    const next = move();
    present.end(OK);
    next.tokens('3');
    expect(told).toEqual(['1', '2', '(moved)', '3']);
    next.message('4').end(OK);
    expect(told.slice(-1)).toEqual([expect.stringMatching(/^\(0: 1 messages since the last token/)]);
  });

  test('is resumed after a refusal of this side, such as too many pending calls', () => {
    const { clock, calls, first, last } = setUp();
    first.tokens('1').end(UNAVAILABLE);
    clock.advance(50);
    last().end(RESOURCE_EXHAUSTED, { sent: false });
    clock.advance(200);
    expect(calls).toHaveLength(3);
  });
});

test('a subscriber that leaves while a call is opened cancels it', () => {
  const { clock, calls, owner, stream, first } = setUp();
  const { open } = owner;
  owner.open = (...args) => {
    const call = open(...args);
    stream.stop();
    return call;
  };
  first.tokens('1').end(UNAVAILABLE);
  clock.advance(50);
  expect(calls.map(({ cancelled }) => cancelled)).toEqual([false, true]);
});
