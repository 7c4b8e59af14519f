import { expect, test } from 'vitest';
import { cpuTime } from '../../../../../test/support/time/cpu-time.js';
import { readAnswerBody } from './answer-body.js';
import { InstanceReader } from './instances.js';

async function read(text: string): Promise<unknown[]> {
  const instances: unknown[] = [];
  await readAnswerBody(Buffer.from(text), (instance) => instances.push(instance));
  return instances;
}

test.each(['[]', '[{"a":"é€😀"},2]', ' [ ] '])('%s is read as JSON.parse reads it', async (text) => {
  expect(await read(text)).toEqual(JSON.parse(text));
});

test.each(['null', '"no list"', '{"a":1}'])('%s is rejected because it is not a list', async (text) => {
  await expect(read(text)).rejects.toThrow(`the answer is ${text}, not a list`);
});

test('a character may span two chunks, and other tasks run between chunks', async () => {
  const list = Array.from({ length: 9000 }, (_, i) => ({ i, name: '€'.repeat(40) }));
  let turns = 0;
  const count = (): void => {
    turns++;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  expect(await read(JSON.stringify(list))).toEqual(list);
  clearImmediate(timer);
  // 1.3 MB in pieces of 256 KB.
  expect(turns).toBeGreaterThanOrEqual(4);
});

test.each([
  ['half an answer', '[{"Node":', 'the answer is not JSON: '],
  ['text that is not JSON', 'nonsense', 'the answer is not JSON: '],
  ['an instance without end', `[{"a":"${'x'.repeat(400_000)}`, 'more than 262144 characters'],
  [
    'an instance of brackets',
    `[${'['.repeat(100)}${']'.repeat(100)}]`,
    'an instance has more than 64 nested lists and objects',
  ],
  ['an instance of many values', `[[${'1,'.repeat(6000)}1]]`, 'an instance has more than 5000 values'],
])('%s is rejected', async (_, text, fault) => {
  await expect(read(text)).rejects.toThrow(fault);
});

const text = (part: string, bytes: number): string => part.repeat(Math.ceil(bytes / part.length));

/** Each instance has the maximum number of objects for its size, and the answer has the maximum size. */
test('an answer crafted to be large costs memory and time only for its endpoints', async () => {
  const checks = text('{},', 1600).slice(0, -1);
  const instance = `{"Service":{"Address":"10.0.0.1","Port":1},"Checks":[${checks}]}`;
  const body = Buffer.from(`[${text(`${instance},`, 32_000_000).slice(0, -1)}]`);
  const reader = new InstanceReader({ passing: true, near: undefined, zoneKey: 'zone' });
  let heap = 0;
  let seen = 0;
  const before = process.memoryUsage().heapUsed;
  await readAnswerBody(body, (each) => {
    reader.add(each);
    if (++seen % 2000 === 0) heap = Math.max(heap, process.memoryUsage().heapUsed - before);
  });
  expect(cpuTime(() => expect(reader.read().total).toBe(seen))).toBeLessThan(100);
  // Keeping everything that was parsed took 600 MB.
  expect(heap).toBeLessThan(300_000_000);
});

test('reading stops when it is aborted', async () => {
  const unwanted = new AbortController();
  let seen = 0;
  const reading = readAnswerBody(
    Buffer.from(`[${text('{},', 2_000_000).slice(0, -1)}]`),
    () => {
      seen++;
      unwanted.abort(new Error('not wanted'));
    },
    unwanted.signal,
  );
  await expect(reading).rejects.toThrow('not wanted');
  expect(seen).toBeLessThan(100_000);
});
