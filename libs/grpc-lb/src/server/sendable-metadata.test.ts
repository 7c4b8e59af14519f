import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { sendableMetadata } from './sendable-metadata.js';

test('metadata that can be sent stays what it is', () => {
  const metadata = new Metadata();
  expect(sendableMetadata(metadata)).toBe(metadata);
  metadata.set('own', '1');
  expect(sendableMetadata(metadata)).toBe(metadata);
});

test('only one value of a header that allows one can be sent', () => {
  const metadata = new Metadata();
  for (const value of ['1', '2']) metadata.add('retry-after', value);
  expect(sendableMetadata(metadata)).toMatch(/^The handler cannot send its "retry-after" metadata .* has 2/);
});

test('what is sent with it counts', () => {
  const metadata = new Metadata();
  metadata.set('own', 'x'.repeat(40_000));
  expect(sendableMetadata(metadata)).toBe(metadata);
  expect(sendableMetadata(metadata, { 'grpc-message': 'x'.repeat(40_000) })).toMatch(/larger than the 64512 bytes/);
});

test.each([undefined, null, 'own', { own: '1' }, new Headers({ own: '1' })])('%s is not metadata', (given) => {
  expect(sendableMetadata(given as never)).toBeNull();
});
