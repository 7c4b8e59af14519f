import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import type { CallEnd, ResumeRules } from './resume-rules.js';
import { ResumableStream, type StreamOwner } from './resumable-stream.js';
import type { OpenedCall, StreamListener } from './stream-call.js';

const OK = 0;
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
const OUT_OF_RANGE = 11;
const UNAVAILABLE = 14;

/** A message: its name, and its token if a stream may begin after it. */
interface Message {
  readonly name: string;
  readonly token?: unknown;
  readonly bookmark?: boolean;
}

type Rules = Partial<ResumeRules<string, Message>>;

/** A call that the test plays. */
class Call implements OpenedCall {
  reads = 0;
  cancelled = false;

  constructor(
    readonly request: string,
    readonly why: string,
    private readonly listener: StreamListener<Message, CallEnd>,
  ) {}

  read(): void {
    this.reads++;
  }

  cancel(): void {
    this.cancelled = true;
  }

  sent(): this {
    this.listener.onSent();
    return this;
  }

  headers(): this {
    this.listener.onHeaders();
    return this;
  }

  /** Messages whose name is their token. */
  tokens(...names: string[]): this {
    for (const name of names) this.listener.onMessage({ name, token: name });
    return this;
  }

  message(name: string, more: Partial<Message> = {}): this {
    this.listener.onMessage({ name, ...more });
    return this;
  }

  end(code: number, more: Partial<CallEnd> = {}): void {
    this.listener.onEnd({ code, details: 'scripted', beginAgain: false, sent: true, ...more });
  }
}

/** A stream whose calls the test plays. */
function setUp(rules: Rules = {}) {
  const clock = new FakeClock();
  const calls: Call[] = [];
  const told: string[] = [];
  const owner: StreamOwner<string, Message, CallEnd> & { wantsMore: boolean } = {
    clock,
    random: () => 0.5,
    wantsMore: true,
    open: (request, why, listener) => {
      const call = new Call(request, why, listener);
      calls.push(call);
      return call;
    },
    deliver: ({ name }) => void told.push(name),
    moved: () => void told.push('(moved)'),
    stayed: () => void told.push('(stayed)'),
    interrupted: () => {},
    ended: ({ code }, note) => void told.push(note === undefined ? `(${code})` : `(${code}: ${note})`),
    failed: (error) => void told.push(`(${(error as Error).message})`),
  };
  const stream = new ResumableStream<string, Message, CallEnd>(
    {
      subject: 'client FEED, Feed/Watch',
      token: ({ token }) => token,
      bookmark: ({ bookmark }) => bookmark === true,
      resume: (request, token) => `${request} after ${String(token)}`,
      codes: new Set([UNAVAILABLE]),
      gapCodes: new Set([OUT_OF_RANGE]),
      maxAttempts: Infinity,
      initialBackoff: 100,
      maxBackoff: 1000,
      handoverTimeout: 5000,
      ...rules,
    },
    'all',
    owner,
  );
  stream.start();
  const last = (): Call => calls.at(-1)!;
  /** Moves, and returns the new call. */
  const move = (): Call => {
    expect(stream.move()).toBe(true);
    return last().sent();
  };
  return { clock, calls, told, owner, stream, first: calls[0]!.sent(), last, move };
}

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

  test('is resumed after a refusal of this side, such as too many pending calls', () => {
    const { clock, calls, first, last } = setUp();
    first.tokens('1').end(UNAVAILABLE);
    clock.advance(50);
    last().end(RESOURCE_EXHAUSTED, { sent: false });
    clock.advance(200);
    expect(calls).toHaveLength(3);
  });
});

test.each([
  ['with one token', {}, { token: 'T' }],
  ['since a token', { dedupe: ({ name }) => name }, {}],
] satisfies [string, Rules, Partial<Message>][])(
  'at most 1000 messages %s are remembered; a stream with more does not move, and does not deliver them twice',
  (_where, rules, more) => {
    const { told, stream, first } = setUp(rules);
    first.tokens('T');
    for (let i = 1; i <= 999; i++) first.message(`${i}`, more);
    expect(stream.movable).toBe(true);
    for (let i = 1000; i <= 1002; i++) first.message(`${i}`, more);
    expect(stream.movable).toBe(false);
    first.end(UNAVAILABLE);
    const loose = 'token' in more ? 3 : 2;
    expect(told.at(-1)).toBe(
      `(14: ${loose} messages since the last token would be delivered again, at most 1000 are remembered)`,
    );
  },
);

test('the next token ends what is remembered', () => {
  const { stream, first } = setUp();
  for (let i = 0; i < 1500; i++) first.message(`${i}`, { token: 'T' });
  first.tokens('U');
  expect(stream.movable).toBe(true);
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

describe('a gap', () => {
  test('goes on with the request that onGap returns, and its messages are new', () => {
    const { clock, told, first, last } = setUp({ onGap: ({ token }) => `snapshot instead of ${String(token)}` });
    first.tokens('1').end(UNAVAILABLE);
    clock.advance(50);
    last().end(OUT_OF_RANGE);
    clock.advance(200);
    expect(last().request).toBe('snapshot instead of 1');
    last().tokens('1', '2');
    expect(told).toEqual(['1', '1', '2']);
  });

  test('right after a message is followed after a backoff, so that a server cannot make the client spin', () => {
    const { clock, calls, first, last } = setUp({ onGap: () => 'anew' });
    first.tokens('1').end(OUT_OF_RANGE);
    expect(calls).toHaveLength(1);
    clock.advance(50);
    expect(last().request).toBe('anew');
    clock.advance(1000);
    last().tokens('2').end(OUT_OF_RANGE);
    expect(calls).toHaveLength(3);
  });

  test('onGap may take its time, and may give up', async () => {
    const { told, first } = setUp({ onGap: async () => undefined });
    first.tokens('1').end(OUT_OF_RANGE);
    await Promise.resolve();
    await Promise.resolve();
    expect(told).toEqual(['1', '(11)']);
  });

  test('what onGap throws ends the stream', async () => {
    const error = new Error('no snapshot');
    for (const onGap of [
      () => Promise.reject(error),
      () => {
        throw error;
      },
    ]) {
      const { told, first } = setUp({ onGap });
      first.tokens('1').end(OUT_OF_RANGE);
      await new Promise(setImmediate);
      expect(told).toEqual(['1', '(no snapshot)']);
    }
  });

  test('an onGap that does not help is not asked forever, if attempts are bounded', () => {
    let asked = 0;
    const { clock, told, first, last } = setUp({ maxAttempts: 3, onGap: () => (asked++, 'anew') });
    first.tokens('1').end(OUT_OF_RANGE);
    for (let i = 0; i < 10; i++) {
      last().end(UNAVAILABLE);
      clock.advance(2000);
    }
    expect(asked).toBe(1);
    expect(told.at(-1)).toBe('(14: 3 attempts have failed)');
  });
});

test('bytes and 64-bit numbers are compared by their value', () => {
  const { told, first, move } = setUp();
  const long = { __isLong__: true, toString: () => '7' };
  first.message('a', { token: new Uint8Array([1, 2]) }).message('b', { token: long });
  const next = move();
  next.message('b', { token: { ...long } });
  first.message('c');
  expect(told).toEqual(['a', 'b', '(moved)']);
});

test('a token that cannot be compared ends the stream, with the remedy', () => {
  const { told, first } = setUp();
  first.message('a', { token: {} });
  expect(told).toEqual([
    '(client FEED, Feed/Watch: what token returns is an object; ' +
      'return a string, a number, a bigint, bytes, or a 64-bit number of proto-loader)',
  ]);
  expect(first.cancelled).toBe(true);
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

test('a token that is too long to be remembered ends the stream', () => {
  const { told, first } = setUp();
  first.message('a', { token: 'x'.repeat(16_385) });
  expect(told[0]).toMatch(/what token returns has a length of 16385; return at most 16384 characters or bytes/);
});
