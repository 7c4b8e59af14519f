import { Duplex } from 'node:stream';
import { type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { unansweredEnd } from './unanswered-end.js';

/** What was sent on the stream of a call: in the trailers, or in the headers if there was no response. */
interface Sent {
  readonly sentHeaders?: object;
  readonly sentTrailers?: object;
}

const callOf = (stream: unknown, deadline = Infinity): ServerInterceptingCallInterface =>
  ({ stream, getDeadline: () => deadline }) as unknown as ServerInterceptingCallInterface;

const streamOf = (sent: Sent): Duplex => Object.assign(new Duplex(), sent);

const headersOf = (code: status, details: string): object => ({
  'grpc-status': code,
  'grpc-message': encodeURI(details),
});

// As grpc-js 1.14.0 and 1.14.7 say it.
test.each([
  [status.INTERNAL, 'Error serializing response'],
  [status.INTERNAL, 'Error serializing response: no text'],
  [status.RESOURCE_EXHAUSTED, 'Sent message larger than max (1500 vs. 1000)'],
  [status.INTERNAL, 'Error writing message: no room'],
  [status.INTERNAL, 'Internal server error'],
  [status.DEADLINE_EXCEEDED, 'Deadline exceeded'],
])('%i "%s" is not the fault of what the caller has sent', (code, details) => {
  const sent = headersOf(code, details);
  const end = { code, details };
  expect(unansweredEnd(callOf(streamOf({ sentHeaders: sent })))).toEqual(end);
  expect(unansweredEnd(callOf(streamOf({ sentHeaders: { ':status': 200 }, sentTrailers: sent })))).toEqual(end);
});

test.each([
  [status.INTERNAL, 'Error deserializing request'],
  [status.INTERNAL, 'Error deserializing request: index out of range'],
  [status.INTERNAL, 'Failed to decompress message'],
  [status.INTERNAL, 'Invalid grpc-timeout value "soon"'],
  [status.RESOURCE_EXHAUSTED, 'Received message larger than max (3000 vs. 2000)'],
  [status.UNIMPLEMENTED, 'Received message compressed with unsupported encoding "br"'],
])('%i "%s" is', (code, details) => {
  const end = unansweredEnd(callOf(streamOf({ sentHeaders: headersOf(code, details) })));
  expect(end).toEqual({ code, details, mark: { unreadable: true } });
});

test('without a status, and if grpc-js has no such stream, the caller has left, or the deadline has passed', () => {
  for (const stream of [streamOf({ sentHeaders: { ':status': 200 } }), streamOf({}), {}, undefined]) {
    expect(unansweredEnd(callOf(stream))).toEqual({ code: status.CANCELLED, details: '' });
    expect(unansweredEnd(callOf(stream, Date.now()))).toEqual({ code: status.DEADLINE_EXCEEDED, details: '' });
  }
});
