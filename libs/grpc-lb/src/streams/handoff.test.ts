import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { Handoff } from './handoff.js';
import { ResumingDuplex } from './resuming-duplex.js';

test('an item is taken when it is asked for', async () => {
  const handoff = new Handoff();
  const taken: unknown[] = [];
  handoff.give(1, () => taken.push(1));
  expect(taken).toEqual([]);
  expect(await handoff.next()).toEqual({ value: 1, done: false });
  const next = handoff.next();
  handoff.give(2, () => taken.push(2));
  expect([await next, taken]).toEqual([{ value: 2, done: false }, [1, 2]]);
  handoff.end();
  expect(await handoff.next()).toMatchObject({ done: true });
});

test('what is written is dropped when the call has ended, so that its writer ends too', async () => {
  const stream = new ResumingDuplex();
  const written = pipeline(Readable.from([1, 2, 3]), stream as NodeJS.WritableStream, { end: true });
  // The call ends with OK while the first waits.
  await new Promise((resolve) => setImmediate(resolve));
  await stream.requests.return();
  await written;
  expect(stream.writableFinished).toBe(true);
});
