import { expect, test } from 'vitest';
import { readAnswerBody } from './answer-body.js';

const read = (text: string): Promise<unknown> => readAnswerBody(Buffer.from(text));

test.each(['[]', '[{"a":"é€😀"},2]', ' [ ] ', '{"a":1}', 'null'])('%s is read as JSON.parse reads it', async (text) => {
  expect(await read(text)).toEqual(JSON.parse(text));
});

test('a character may lie on both sides of a pause, and others have their turns meanwhile', async () => {
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
  ['half an answer', '[{"Node":', 'the answer is no JSON: '],
  ['no JSON', 'nonsense', 'the answer is no JSON: '],
  ['an instance without end', `[{"a":"${'x'.repeat(400_000)}`, 'more than 262144 characters'],
  [
    'an instance of brackets',
    `[${'['.repeat(100)}${']'.repeat(100)}]`,
    'an instance has more than 64 lists and objects',
  ],
  ['an instance of many values', `[[${'1,'.repeat(6000)}1]]`, 'an instance has more than 5000 values'],
  ['more instances than anybody has', `[${'{},'.repeat(100_000)}{}]`, 'the answer has more than 20000 instances'],
])('%s is refused', async (_, text, fault) => {
  await expect(read(text)).rejects.toThrow(fault);
});
