import { expect, test } from 'vitest';
import { STREAM_END_TRAILER, STREAM_MAX_AGE_HEADER } from '../../../libs/grpc-lb/src/grpc/call/stream-signals.js';
import { STREAM_END_KEY, STREAM_MAX_AGE_KEY } from '../../../libs/grpc-lb/src/server/stream-end.js';

test('clients and servers of this package use the same names for the ends of streams', () => {
  expect([STREAM_END_TRAILER, STREAM_MAX_AGE_HEADER]).toEqual([STREAM_END_KEY, STREAM_MAX_AGE_KEY]);
});
