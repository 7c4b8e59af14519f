import { Duplex } from 'node:stream';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AgingStream } from './aging-stream.js';
import { DueQueue } from './due-queue.js';
import type { Ending } from './stream-end.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

function start() {
  const ends: Ending[] = [];
  const resets: number[] = [];
  const stream = Object.assign(new Duplex(), { close: (code: number) => void resets.push(code) });
  const call = { stream } as unknown as ServerInterceptingCallInterface;
  const aging: AgingStream = new AgingStream(
    call,
    {
      end: (ending) => {
        ends.push(ending);
        // As the tracker does for every end.
        aging.closed();
        return true;
      },
    },
    new DueQueue(),
    1000,
  );
  return { aging, ends, resets };
}

test('at its age it ends once, with the reason; if the end has been read, that is all', () => {
  const { aging, ends, resets } = start();
  vi.advanceTimersByTime(990);
  expect(ends).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(ends.map(({ streamEnd }) => streamEnd)).toEqual(['max_age']);
  aging.gone();
  vi.advanceTimersByTime(20_000);
  expect(ends).toHaveLength(1);
  expect(resets).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test('if its client does not read the end, it is reset after five seconds', () => {
  const { ends, resets } = start();
  vi.advanceTimersByTime(5900);
  expect(resets).toEqual([]);
  vi.advanceTimersByTime(500);
  const CANCEL = 8;
  expect(resets).toEqual([CANCEL]);
  expect(ends).toHaveLength(1);
  vi.advanceTimersByTime(20_000);
  expect(resets).toHaveLength(1);
});

test('a stream that has ended before does not age', () => {
  const { aging, ends, resets } = start();
  aging.closed();
  vi.advanceTimersByTime(20_000);
  expect([ends, resets]).toEqual([[], []]);
});
