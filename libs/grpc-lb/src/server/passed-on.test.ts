import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { withoutSignals } from './passed-on.js';

const trailers = (entries: Readonly<Record<string, string>>): Metadata => Metadata.fromHttp2Headers(entries);

test.each([
  [{ 'grpc-lb-stream-end': 'drain', 'x-own': '1' }, { 'x-own': '1' }],
  [{ 'grpc-lb-stream-end': 'drain', 'grpc-server-draining': 'true' }, {}],
  [{ 'grpc-server-draining': 'true', 'x-own': '1' }, { 'x-own': '1' }],
  [{ 'grpc-lb-degraded': 'its replica lags', 'x-own': '1' }, { 'x-own': '1' }],
  [{ 'grpc-lb-shed': 'concurrency', 'grpc-retry-pushback-ms': '0' }, {}],
  [{ 'grpc-lb-shed': 'concurrency', 'grpc-retry-pushback-ms': '-1' }, { 'grpc-retry-pushback-ms': '-1' }],
  [{ 'grpc-lb-shed': 'concurrency', 'grpc-lb-stream-end': 'max_age' }, {}],
])('of %j a handler passes on %j', (given, passedOn) => {
  const metadata = trailers(given);
  expect(withoutSignals(metadata)?.getMap()).toEqual(passedOn);
  // It is the handler's.
  expect(metadata.getMap()).toEqual(given);
});

test('trailers without a signal stay what they are', () => {
  for (const metadata of [undefined, null, trailers({}), trailers({ 'grpc-retry-pushback-ms': '0' })])
    expect(withoutSignals(metadata)).toBe(metadata);
});
