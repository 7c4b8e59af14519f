import { status as Status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { ReplayMemory } from './replay-memory.js';
import { type RequestOwner, RequestWriter } from './request-writer.js';

test('a message that cannot be compressed ends the call, and its writer goes on, as do those before and after it', async () => {
  const owner = {
    ended: false,
    repeatable: true,
    running: [],
    frames: 0,
    end: undefined as readonly [Status, string] | undefined,
    seal: () => {},
    messageSent: () => void owner.frames++,
    cancelLocally: (...end: [Status, string]) => {
      owner.ended = true;
      owner.end = end;
    },
  };
  const writer = new RequestWriter(owner satisfies RequestOwner, new ReplayMemory({}), 'gzip', -1);
  const written = (message: Buffer): Promise<void> =>
    new Promise((resolve) => writer.write({ callback: () => resolve() }, message));
  // It takes longer than the failure of the next one.
  const long = written(Buffer.alloc(1 << 20));
  const faulty = written({ length: 1 } as Buffer);
  await Promise.all([long, faulty, written(Buffer.from('later'))]);
  writer.close();
  await written(Buffer.from('after the end'));
  expect(owner.end).toEqual([Status.INTERNAL, expect.stringContaining('Failed to compress a message: ')]);
  expect([owner.frames, writer.closed]).toEqual([1, false]);
});
