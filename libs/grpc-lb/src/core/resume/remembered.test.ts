import { expect, test } from 'vitest';
import { type Message, type Rules, setUp, UNAVAILABLE } from '../../../../../test/support/streams/scripted-stream.js';

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
      `(14: ${loose} messages since the last token would be delivered again, at most 1000 of 262144 characters together are remembered)`,
    );
  },
);

test('the next token ends what is remembered', () => {
  const { stream, first } = setUp();
  for (let i = 0; i < 1500; i++) first.message(`${i}`, { token: 'T' });
  first.tokens('U');
  expect(stream.movable).toBe(true);
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

test('a token that is too long to be remembered ends the stream', () => {
  const { told, first } = setUp();
  first.message('a', { token: 'x'.repeat(16_385) });
  expect(told[0]).toMatch(/what token returns has a length of 16385; return at most 16384 characters or bytes/);
});

test('of long texts fewer are remembered; a stream with more does not move, and does not deliver them twice', () => {
  const { told, first, stream } = setUp({ dedupe: ({ name }) => name.padEnd(16_384) });
  first.tokens('0');
  for (let i = 1; i <= 16; i++) first.message(String(i));
  expect(stream.movable).toBe(true);
  first.message('17');
  expect(stream.movable).toBe(false);
  first.end(UNAVAILABLE);
  expect(told.slice(-1)).toEqual([
    '(14: 1 messages since the last token would be delivered again, at most 1000 of 262144 characters together are remembered)',
  ]);
});

test('the next token makes room for long texts again', () => {
  const { first, stream } = setUp({ dedupe: ({ name }) => name.padEnd(16_384) });
  for (let round = 0; round < 3; round++) {
    first.tokens(`t${round}`);
    for (let i = 1; i <= 16; i++) first.message(`${round} ${i}`);
    expect(stream.movable).toBe(true);
  }
});

test('a token that equals nothing ends the stream', () => {
  const { told, first } = setUp();
  first.message('1', { token: NaN });
  expect(told).toEqual([
    '(client FEED, Feed/Watch: what token returns is NaN, which equals nothing; return a number, or a text)',
  ]);
});

test.each(['token', 'bookmark', 'dedupe'])('a promise of %s ends the stream, and its rejection no process', (name) => {
  const { told, first } = setUp({ [name]: () => Promise.reject(new Error('later')) });
  first.tokens('1');
  expect(told).toEqual([`(client FEED, Feed/Watch: what ${name} returns is a promise; return the value itself)`]);
});

test('a bookmark is what bookmark calls one, not only with true', () => {
  const { told, first } = setUp({ bookmark: (({ name }: { name: string }) => name === 'b' && 1) as never });
  first.tokens('a', 'b', 'c');
  expect(told).toEqual(['a', 'c']);
});

test('a bookmark that repeats the token does not make the messages since then delivered twice', () => {
  const { told, stream, first } = setUp();
  first.tokens('1').message('a').message('', { token: '1', bookmark: true });
  expect(stream.movable).toBe(false);
  first.end(UNAVAILABLE);
  expect(told).toEqual([
    '1',
    'a',
    '(14: 1 messages since the last token would be delivered again, as nothing identifies them; set dedupe)',
  ]);
});

test('a message is not taken for a repeated one whose token is equal to its identity', () => {
  // Items have an id, and marks have a revision.
  const dedupe = ({ name }: Message): string => /^item (.*)/.exec(name)?.[1] ?? '';
  const { clock, told, first, last } = setUp({ dedupe });
  first.message('item 1').message('mark', { token: '7' });
  first.end(UNAVAILABLE);
  clock.advance(50);
  last().message('item 7').message('mark', { token: '8' });
  expect(told).toEqual(['item 1', 'mark', 'item 7', 'mark']);
});
