import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import type { CallInfo } from '../policy/policy.js';
import { LastingStreams, LASTS_AFTER_MS } from './lasting-streams.js';

class Stream {
  counted = false;

  constructor(
    readonly reservedAt: number,
    readonly endpoint = 'a',
  ) {}

  countAsStream(): void {
    this.counted = true;
  }
}

const WATCH: CallInfo = { method: '/Orders/Watch', stream: true };
const LIST: CallInfo = { method: '/Orders/List', stream: true };

function setUp() {
  const clock = new FakeClock();
  const streams = new LastingStreams<string, Stream>(clock);
  const begin = (call: CallInfo, endpoint?: string): Stream => {
    const stream = new Stream(clock.now(), endpoint);
    streams.began(stream, call);
    return stream;
  };
  return { clock, streams, begin };
}

describe('a stream', () => {
  it('counts as a call until it has been open for ten seconds', () => {
    const { clock, streams, begin } = setUp();
    const stream = begin(WATCH);
    clock.advance(LASTS_AFTER_MS - 1);
    expect([stream.counted, streams.of('a').size]).toEqual([false, 0]);
    clock.advance(1);
    expect([stream.counted, streams.of('a').size]).toEqual([true, 1]);
    streams.ended(stream, WATCH, false);
    expect(streams.of('a').size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('that is over sooner never counts as one that lasts', () => {
    const { clock, streams, begin } = setUp();
    const stream = begin(LIST);
    clock.advance(50);
    streams.ended(stream, LIST, false);
    clock.advance(LASTS_AFTER_MS);
    expect([stream.counted, streams.of('a').size, clock.pendingTimers]).toEqual([false, 0, 0]);
  });

  it('counts by its number from the start if its caller says that it lasts', () => {
    const { clock, streams, begin } = setUp();
    const call = { ...WATCH, lasting: true };
    expect(streams.expects(call)).toBe(true);
    const stream = begin(call, 'b');
    expect([stream.counted, streams.of('b').size, clock.pendingTimers]).toEqual([true, 1, 0]);
    streams.ended(stream, call, false);
    expect(streams.of('b').size).toBe(0);
    expect(streams.expects(WATCH)).toBe(false);
  });
});

describe('a method', () => {
  it('whose streams last has new ones counted by their number from the start', () => {
    const { clock, streams, begin } = setUp();
    const first = begin(WATCH);
    expect(streams.expects(WATCH)).toBe(false);
    clock.advance(LASTS_AFTER_MS);
    expect([streams.expects(WATCH), streams.expects(LIST)]).toEqual([true, false]);
    // As a stream that iterate() pulls, and that does not resume.
    expect(streams.expects({ ...WATCH, lasting: false })).toBe(true);
    expect(begin(WATCH).counted).toBe(true);
    streams.ended(first, WATCH, false);
    expect(streams.expects(WATCH)).toBe(true);
  });

  it('of which one stream in many lasts is one of calls', () => {
    const { clock, streams, begin } = setUp();
    begin(LIST);
    clock.advance(LASTS_AFTER_MS - 1000);
    for (let i = 0; i < 3; i++) begin(LIST);
    clock.advance(1000);
    expect(streams.expects(LIST)).toBe(false);
  });

  it('is one of calls again when a stream is soon over and most others do not last', () => {
    const { clock, streams, begin } = setUp();
    const first = begin(WATCH);
    clock.advance(LASTS_AFTER_MS);
    streams.ended(begin(WATCH), WATCH, false);
    expect(streams.expects(WATCH)).toBe(true);
    streams.ended(first, WATCH, false);
    streams.ended(begin(WATCH), WATCH, false);
    expect(streams.expects(WATCH)).toBe(false);
  });

  it('stays as it is when a stream fails, and when one ends that was never sent', () => {
    const { clock, streams, begin } = setUp();
    const first = begin(WATCH);
    clock.advance(LASTS_AFTER_MS);
    streams.ended(first, WATCH, false);
    streams.ended(begin(WATCH), WATCH, true);
    streams.ended(new Stream(0), WATCH, false);
    expect(streams.expects(WATCH)).toBe(true);
  });

  it('is not remembered beyond a thousand others, though its streams count', () => {
    const { clock, streams, begin } = setUp();
    for (let i = 0; i < 1000; i++) {
      const call = { method: `/Proxied/${i}`, stream: true };
      streams.ended(begin(call), call, false);
    }
    const late = begin(WATCH);
    clock.advance(LASTS_AFTER_MS);
    expect([late.counted, streams.expects(WATCH)]).toEqual([true, false]);
    streams.ended(late, WATCH, false);
    expect(streams.of('a').size).toBe(0);
  });
});

it('has one timer for ten thousand streams, however many end, and none when closed', () => {
  const { clock, streams, begin } = setUp();
  const all = Array.from({ length: 10_000 }, () => {
    clock.advance(1);
    return begin(WATCH);
  });
  expect(clock.pendingTimers).toBe(1);
  for (const stream of all.slice(0, 5000)) streams.ended(stream, WATCH, false);
  expect(clock.pendingTimers).toBe(1);
  // Those that come to last within a second share a step.
  clock.advance(LASTS_AFTER_MS + 1000);
  expect(streams.of('a').size).toBe(5000);
  begin(LIST);
  streams.close();
  expect(clock.pendingTimers).toBe(0);
});
