import { expect, test } from 'vitest';
import { FrameCounter } from './message-sizes.js';

function frame(length: number): Buffer {
  const bytes = Buffer.alloc(5 + length, 1);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

test('frames count without their headers, however they are cut into chunks', () => {
  const stream = Buffer.concat([frame(0), frame(3), frame(700), frame(0), frame(1)]);
  for (let size = 1; size <= stream.length; size++) {
    const counter = new FrameCounter();
    for (let i = 0; i < stream.length; i += size) counter.add(stream.subarray(i, i + size));
    expect(counter.bytes).toBe(704);
  }
});

test('a frame that does not arrive whole counts as far as it does', () => {
  const counter = new FrameCounter();
  counter.add(frame(100).subarray(0, 45));
  expect(counter.bytes).toBe(40);
});
