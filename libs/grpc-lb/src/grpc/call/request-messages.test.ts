import { expect, test } from 'vitest';
import { ReplayMemory } from './replay-memory.js';
import { RequestMessages } from './request-messages.js';

const memoryOf = (perCall: number, total: number): ReplayMemory =>
  new ReplayMemory({ 'grpc.per_rpc_retry_buffer_size': perCall, 'grpc.retry_buffer_size': total });
const frame = (bytes: number): Buffer => Buffer.alloc(bytes);
const nextTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

test('messages are kept in their order up to the limit of the call, exactly', () => {
  const requests = new RequestMessages(memoryOf(10, 100));
  expect([frame(4), frame(6), frame(1)].map((each) => requests.keep(each, undefined))).toEqual([true, true, false]);
  // The last one is kept only until it has been sent.
  expect(requests.kept.map((each) => each.frame.length)).toEqual([4, 6, 1]);
});

test('the writer of a message that is kept goes on at once, in a later turn; of another one when it has been sent', async () => {
  const requests = new RequestMessages(memoryOf(10, 100));
  const sent: string[] = [];
  requests.keep(frame(10), () => sent.push('kept'));
  requests.keep(frame(1), () => sent.push('not kept'));
  expect(sent).toEqual([]);
  await nextTick();
  expect(sent).toEqual(['kept']);
  expect(requests.kept.map((each) => each.sent === undefined)).toEqual([true, false]);
  requests.kept[1]!.sent!();
  expect(sent).toEqual(['kept', 'not kept']);
});

test('if the call ends first, the writer of a message that is not kept goes on as well, once', async () => {
  const requests = new RequestMessages(memoryOf(10, 100));
  const sent: string[] = [];
  requests.keep(frame(10), () => sent.push('kept'));
  requests.keep(frame(1), () => sent.push('not kept'));
  requests.abandon();
  requests.abandon();
  await nextTick();
  expect(sent).toEqual(['kept', 'not kept']);
  expect(requests.kept).toEqual([]);
});

test('all calls share the total, and give back what they took, once', () => {
  const memory = memoryOf(10, 15);
  const [one, two, three] = [new RequestMessages(memory), new RequestMessages(memory), new RequestMessages(memory)];
  expect(one.keep(frame(10), undefined)).toBe(true);
  expect(two.keep(frame(6), undefined)).toBe(false);
  expect(two.keep(frame(5), undefined)).toBe(true);
  one.release();
  one.release();
  two.release();
  expect(one.kept).toEqual([]);
  expect(three.keep(frame(10), undefined)).toBe(true);
  expect(two.keep(frame(6), undefined)).toBe(false);
});

test('the defaults are those of grpc-js: 1 MiB for a call, 16 MiB for a client', () => {
  const memory = new ReplayMemory({});
  const calls = Array.from({ length: 17 }, () => new RequestMessages(memory));
  expect(calls[0]!.keep(frame((1 << 20) + 1), undefined)).toBe(false);
  expect(calls.map((each) => each.keep(frame(1 << 20), undefined)).filter(Boolean)).toHaveLength(16);
});
