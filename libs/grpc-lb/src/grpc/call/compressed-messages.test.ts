import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { CompressedMessages } from './compressed-messages.js';
import { COMPRESSED, frameOf } from './frame.js';

const zipped = (text: string): Buffer => frameOf(gzipSync(text), COMPRESSED);
const plain = (text: string): Buffer => frameOf(Buffer.from(text));

/** Messages from a stream that has these frames. */
function setUp(frames: readonly Buffer[], maxLength = -1) {
  const coming = [...frames];
  const told: string[] = [];
  let wake = (): void => {};
  const tell = (what: string): void => {
    told.push(what);
    wake();
  };
  let reads = 0;
  const messages: CompressedMessages = new CompressedMessages(
    {
      // As grpc-js does, a frame that is there comes a little later.
      readFrame: () => {
        reads++;
        const frame = coming.shift();
        if (frame) queueMicrotask(() => messages.add(frame));
      },
      decompressed: (message) => tell(message.length > 100 ? `${message.length} bytes` : message.toString()),
      undecodable: ({ details }) => tell(`(${details})`),
      emptied: () => tell('(empty)'),
    },
    'gzip',
    maxLength,
  );
  messages.add(coming.shift()!);
  return {
    messages,
    told,
    coming,
    get reads() {
      return reads;
    },
    /** Resolves when so much has been told. */
    async until(count: number): Promise<string[]> {
      while (told.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return told;
    },
    /** When the frames that may be read have been. */
    settled: () => new Promise(setImmediate),
  };
}

test('what comes while a message is decompressed is read, and passed on in its order, one for each that is asked for', async () => {
  const run = setUp([zipped('x'.repeat(1 << 20)), zipped('second'), plain('third'), zipped('fourth')]);
  await run.settled();
  expect(run.coming).toEqual([]);
  await run.until(1);
  await run.settled();
  expect(run.told).toEqual([`${1 << 20} bytes`]);
  run.messages.want();
  await run.until(2);
  run.messages.want();
  run.messages.want();
  expect(run.messages.empty).toBe(false);
  await run.until(5);
  expect(run.told.slice(1)).toEqual(['second', 'third', 'fourth', '(empty)']);
  expect(run.messages.empty).toBe(true);
});

test('it is empty also when a message has been asked for that was not compressed', async () => {
  const run = setUp([zipped('first'), plain('second')]);
  await run.until(1);
  await run.settled();
  run.messages.want();
  expect(run.told).toEqual(['first', 'second', '(empty)']);
});

test('no more is read than 64 KiB, until some has been asked for', async () => {
  const run = setUp([zipped('first'), ...Array.from({ length: 2000 }, () => plain(''))]);
  await run.until(1);
  await run.settled();
  const waiting = 2000 - run.coming.length;
  expect(waiting).toBe(Math.ceil(65_536 / (64 + 5)));
  const { reads } = run;
  for (let i = 0; i < 10; i++) {
    run.messages.want();
    await run.settled();
  }
  expect([run.told.length, run.reads - reads, 2000 - run.coming.length]).toEqual([11, 10, waiting + 10]);
});

test.each([
  ['cannot be decompressed', frameOf(Buffer.from('x'), COMPRESSED), '(Failed to decompress gzip-encoded message)'],
  ['is too large', zipped('x'.repeat(101)), '(Received message that decompresses to a size larger than 100)'],
])('nothing follows a message that %s', async (_, faulty, told) => {
  const run = setUp([zipped('first'), faulty, plain('third')], 100);
  await run.until(1);
  run.messages.want();
  await run.until(2);
  run.messages.want();
  await run.settled();
  expect(run.told).toEqual(['first', told]);
  expect(run.messages.empty).toBe(false);
});
