import { describe, expect, test } from 'vitest';
import { OUT_OF_RANGE, setUp, UNAVAILABLE } from '../../../../../test/support/streams/scripted-stream.js';

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
