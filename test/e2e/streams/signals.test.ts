import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import {
  maxAgeIn,
  STREAM_END_TRAILER,
  STREAM_MAX_AGE_HEADER,
} from '../../../libs/grpc-lb/src/grpc/call/stream-signals.js';
import { STREAM_END_KEY, STREAM_MAX_AGE_KEY } from '../../../libs/grpc-lb/src/server/stream-end.js';

test('clients and servers of this package use the same names for the ends of streams', () => {
  expect([STREAM_END_TRAILER, STREAM_MAX_AGE_HEADER]).toEqual([STREAM_END_KEY, STREAM_MAX_AGE_KEY]);
});

test.each([
  ['1', 1],
  ['604800000', 604_800_000],
  ['2147483647', 2_147_483_647],
  ['2147483648', undefined],
  ['9999999999999', undefined],
  ['1e300', undefined],
  ['-5', undefined],
  ['0', undefined],
  ['', undefined],
])('a server that announces an age of "%s" ms: the client reads %s', (text, age) => {
  const headers = new Metadata();
  headers.set(STREAM_MAX_AGE_HEADER, text);
  // A timer of more than 2147483647 ms fires at once.
  expect(maxAgeIn(headers)).toBe(age);
});
