import { constants } from 'node:http2';
import { Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import {
  controlPlaneStatus,
  isLoss,
  isReceiveLimit,
  isUnsent,
  resetByLoss,
  retryPushback,
  withLostConnection,
} from './wire-status.js';

test('a status that only a server may choose becomes INTERNAL, and tells what it was (gRFC A54)', () => {
  const forbidden = [
    'OK',
    'INVALID_ARGUMENT',
    'NOT_FOUND',
    'ALREADY_EXISTS',
    'FAILED_PRECONDITION',
    'ABORTED',
    'OUT_OF_RANGE',
    'DATA_LOSS',
  ] as const;
  const names = Object.keys(Status).filter((name): name is keyof typeof Status => Number.isNaN(Number(name)));
  for (const name of names) {
    const code = Status[name];
    expect(controlPlaneStatus(code, 'why')).toEqual(
      (forbidden as readonly string[]).includes(name)
        ? { code: Status.INTERNAL, details: `Invalid status from control plane: ${code} ${name} why` }
        : { code, details: 'why' },
    );
  }
});

test('a response over the limit is told from a server that sends the same status', () => {
  const limit = { code: Status.RESOURCE_EXHAUSTED, details: 'Received message larger than max (20 vs 10)' };
  expect(isReceiveLimit({ ...limit, metadata: new Metadata() })).toBe(true);
  const trailers = new Metadata();
  trailers.set('content-type', 'application/grpc');
  expect(isReceiveLimit({ ...limit, metadata: trailers })).toBe(false);
  expect(isReceiveLimit({ ...limit, details: 'quota', metadata: new Metadata() })).toBe(false);
  expect(isReceiveLimit({ ...limit, code: Status.UNAVAILABLE, metadata: new Metadata() })).toBe(false);
});

describe('an INTERNAL of grpc-js', () => {
  const reset = 'Received RST_STREAM with code 2 triggered by internal client error: ';
  const internal = (details: string, metadata = new Metadata()): StatusObject => ({
    code: Status.INTERNAL,
    details,
    metadata,
  });

  test.each([
    'write EPIPE',
    'write ECONNABORTED',
    'read EHOSTUNREACH',
    'connect ENETUNREACH 10.0.0.1:80',
    'Session closed with error code 2',
  ])('after %s is a lost connection', (error) => {
    expect(withLostConnection(internal(reset + error))).toMatchObject({
      code: Status.UNAVAILABLE,
      details: `The connection was lost: ${error}`,
    });
  });

  test.each(['New streams cannot be created after receiving a GOAWAY', 'The session has been destroyed'])(
    'of a stream that was never sent is a lost connection, and no server has seen the call: %s',
    (error) => {
      expect(isUnsent(internal(reset + error))).toBe(true);
      expect(withLostConnection(internal(reset + error)).code).toBe(Status.UNAVAILABLE);
      expect(isUnsent(internal(error))).toBe(false);
      expect(isUnsent({ ...internal(reset + error), code: Status.UNAVAILABLE })).toBe(false);
      expect(isUnsent(internal(`${reset}write EPIPE`))).toBe(false);
    },
  );

  test('of a stream that was reset without a status is a lost connection, if the connection is lost', () => {
    const details = 'Received RST_STREAM with code 0 (Call ended without gRPC status)';
    expect(resetByLoss(internal(details)).code).toBe(Status.UNAVAILABLE);
    const trailers = new Metadata();
    trailers.set('content-type', 'application/grpc');
    for (const status of [internal('x', trailers), { ...internal('x'), code: Status.UNKNOWN }])
      expect(resetByLoss(status)).toBe(status);
  });

  test('of another error, or sent by a server, stays', () => {
    const trailers = new Metadata();
    trailers.set('content-type', 'application/grpc');
    for (const status of [
      internal(`${reset}Protocol error`),
      internal('Received RST_STREAM with code 2 (Internal server error)'),
      internal('write EPIPE'),
      internal(`${reset}write EPIPE`, trailers),
      { ...internal(`${reset}write EPIPE`), code: Status.UNKNOWN },
    ])
      expect(withLostConnection(status)).toBe(status);
  });
});

test('a lost connection is told from a server that sends the same words', () => {
  const dropped = { code: Status.UNAVAILABLE, details: 'Connection dropped', metadata: new Metadata() };
  expect(isLoss({ ...dropped, rstCode: constants.NGHTTP2_CANCEL }, true)).toBe(true);
  expect(isLoss({ ...dropped, details: 'read ECONNRESET', rstCode: constants.NGHTTP2_INTERNAL_ERROR }, true)).toBe(
    true,
  );
  expect(isLoss(dropped, true)).toBe(true);
  expect(isLoss(dropped, false)).toBe(false);
  expect(isLoss({ ...dropped, details: 'down for maintenance' }, true)).toBe(false);
  expect(isLoss({ ...dropped, rstCode: constants.NGHTTP2_REFUSED_STREAM }, true)).toBe(false);
  expect(isLoss({ ...dropped, code: Status.INTERNAL }, true)).toBe(false);
  const trailers = new Metadata();
  trailers.set('content-type', 'application/grpc');
  expect(isLoss({ ...dropped, metadata: trailers }, true)).toBe(false);
});

test.each([
  [undefined, undefined],
  ['0', 0],
  ['1500', 1500],
  ['-1', -1],
  ['soon', Number.NaN],
  ['1.5', Number.NaN],
  ['2147483647', 2_147_483_647],
  ['2147483648', Number.NaN],
  ['99999999999999999999', Number.NaN],
  ['-2147483648', -2_147_483_648],
  ['007', Number.NaN],
  ['', Number.NaN],
])('a pushback of %j is %s', (value, expected) => {
  const metadata = new Metadata();
  if (value !== undefined) metadata.set('grpc-retry-pushback-ms', value);
  expect(retryPushback(metadata)).toBe(expected);
});
