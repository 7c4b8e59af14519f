import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { compressionAlgorithms, status as Status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { frameOf, isCompressed, messageIn } from './frame.js';
import { accepts, compressedFrameOf, decompressed, type Encoding, encodingOf } from './message-codec.js';

const MESSAGES = ['', 'x', 'hello '.repeat(10_000)].map((text) => Buffer.from(text));

test('a frame is one byte of flags, four of length, and the message', () => {
  expect(frameOf(Buffer.from('abc'))).toEqual(Buffer.from([0, 0, 0, 0, 3, 97, 98, 99]));
  expect(frameOf(Buffer.from('a'), 1)).toEqual(Buffer.from([1, 0, 0, 0, 1, 97]));
  for (const message of MESSAGES) {
    const frame = frameOf(message);
    expect(messageIn(frame)).toEqual(message);
    expect(isCompressed(frame)).toBe(false);
  }
});

describe.each([
  ['gzip', gzipSync, gunzipSync],
  ['deflate', deflateSync, inflateSync],
] as const)('%s', (encoding, compress, decompress) => {
  test('a compressed frame is marked, and others can read it', async () => {
    for (const message of MESSAGES) {
      const frame = await compressedFrameOf(message, encoding);
      expect(isCompressed(frame)).toBe(true);
      expect(frame.readUInt32BE(1)).toBe(frame.length - 5);
      expect(decompress(messageIn(frame))).toEqual(message);
    }
  });

  test('what others compressed is read', async () => {
    for (const message of MESSAGES)
      expect(await decompressed(frameOf(compress(message), 1), encoding, -1)).toEqual(message);
  });

  test('a message may be as long as the limit, and no longer', async () => {
    const frame = frameOf(compress(Buffer.alloc(1000)), 1);
    expect(await decompressed(frame, encoding, 1000)).toHaveLength(1000);
    await expect(decompressed(frame, encoding, 999)).rejects.toMatchObject({
      code: Status.RESOURCE_EXHAUSTED,
      details: 'Received message that decompresses to a size larger than 999',
    });
  });

  test.each([
    ['something else', Buffer.from('hello')],
    ['a beginning without an end', compress(Buffer.from('hello '.repeat(100))).subarray(0, 12)],
    ['nothing', Buffer.alloc(0)],
  ])('%s is INTERNAL', async (_, body) => {
    await expect(decompressed(frameOf(body, 1), encoding, -1)).rejects.toMatchObject({
      code: Status.INTERNAL,
      details: `Failed to decompress ${encoding}-encoded message`,
    });
  });
});

test('another encoding is INTERNAL, and named', async () => {
  await expect(decompressed(frameOf(Buffer.from('x'), 1), 'br', -1)).rejects.toMatchObject({
    code: Status.INTERNAL,
    details: 'Received message compressed with unsupported compression method br',
  });
  await expect(decompressed(frameOf(Buffer.from('x'), 1), 'identity', -1)).rejects.toMatchObject({
    code: Status.INTERNAL,
    details: expect.stringContaining('header was identity'),
  });
});

test('the channel option names an encoding', () => {
  const names = [
    undefined,
    compressionAlgorithms.identity,
    compressionAlgorithms.deflate,
    compressionAlgorithms.gzip,
    9,
  ];
  const expected: (Encoding | undefined)[] = ['identity', 'identity', 'deflate', 'gzip', undefined];
  expect(names.map(encodingOf)).toEqual(expected);
});

test.each([
  ['identity,deflate,gzip', true],
  ['identity, deflate, gzip', true],
  ['gzip', true],
  ['identity', false],
  ['xgzip, gzip2', false],
  ['', false],
])('the accepted encodings "%s" include gzip: %s', (accepted, included) => {
  expect(accepts(accepted, 'gzip')).toBe(included);
});
