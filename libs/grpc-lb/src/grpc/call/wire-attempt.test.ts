import { constants } from 'node:http2';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Metadata, status as Status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { Attempts } from '../../core/balancing/calls/attempts.js';
import type { Member } from '../../core/balancing/members/member.js';
import type { AttemptEnd } from '../../core/call/attempt-end.js';
import { OwnStall } from '../../core/own-stall.js';
import type { Connection } from '../endpoint/connection.js';
import type { StreamListener } from './stream-listener.js';
import { type AttemptOwner, WireAttempt } from './wire-attempt.js';

/** An attempt on a connection that leaves everything to the test. */
function opened(): {
  attempt: WireAttempt;
  listener: StreamListener;
  ends: AttemptEnd[];
  said: (string | undefined)[];
} {
  let listener: StreamListener;
  const clock = new FakeClock();
  const attempts = new Attempts<Connection>(
    { clock, ownStall: new OwnStall(clock) },
    { spillover: undefined },
    () => {},
    {
      of: () => undefined,
    },
  );
  const headers = { 'x-key': ['a', 'b'], 'grpc-timeout': '5m' };
  const said: (string | undefined)[] = [];
  const passiveHealth = { isProbe: () => false, endProbe: () => false, record: () => {} };
  const degradation = { say: (reason: string | undefined) => said.push(reason) };
  const counters = { inFlight: 0, lingering: 0, superseded: 0, started: 0, succeeded: 0, failed: 0 };
  const endpoint = { ...counters, key: 'a:1', passiveHealth, degradation } as unknown as Member<Connection>;
  const subchannel = {
    getRealSubchannel: () => subchannel,
    createCall: (metadata: Metadata, _authority: string, _path: string, given: StreamListener) => {
      expect(metadata.toHttp2Headers()).toBe(headers);
      listener = given;
      const methods = [
        'sendMessageWithContext',
        'halfClose',
        'startRead',
        'cancelWithStatus',
        'getPeer',
        'getAuthContext',
      ];
      return Object.fromEntries(methods.map((name) => [name, () => null]));
    },
  };
  const silent = { callStarted: () => {}, callAnswered: () => {} };
  const connection = { inFlight: 0, lost: false, subchannel, takesStream: () => true, ...silent };
  const ends: AttemptEnd[] = [];
  const call = {
    method: '/a.B/C',
    stream: false,
    timeLeft: Infinity,
    environment: { context: { clock }, statuses: { kindOf: () => 'failed' }, limits: { maxReceive: 100 } },
    headersReceived: () => {},
    attemptEnded: (_: WireAttempt, end: AttemptEnd) => ends.push(end),
  } as unknown as AttemptOwner;
  const policy = { pick: () => 0, chances: () => [1] };
  const attempt = new WireAttempt(attempts, endpoint, connection as unknown as Connection, call, policy);
  expect(attempt.open(headers, 'a', '/a.B/C')).toBe(true);
  return { attempt, listener: listener!, ends, said };
}

const ok = () => ({ code: Status.OK, details: '', metadata: new Metadata() });

const reset = (error: string) => ({
  code: Status.INTERNAL,
  details: `Received RST_STREAM with code 2 triggered by internal client error: ${error}`,
  metadata: new Metadata(),
  rstCode: constants.NGHTTP2_INTERNAL_ERROR,
});

// Node 24 and later: before, opening the stream throws. So with Node 20 no end-to-end test reaches it.
test('a stream that its session did not take any more was refused: the call may go elsewhere', () => {
  const { attempt, ends } = opened();
  attempt.onReceiveStatus(reset('New streams cannot be created after receiving a GOAWAY'));
  expect(ends).toMatchObject([{ code: Status.UNAVAILABLE, progress: 'refused' }]);
  expect(attempt.refusedAt).toBeDefined();
});

test('a stream that has been answered, or has failed otherwise, may have been processed', () => {
  const answered = opened();
  answered.attempt.onReceiveMetadata(new Metadata());
  answered.attempt.onReceiveStatus(reset('The session has been destroyed'));
  const lost = opened();
  lost.attempt.onReceiveStatus(reset('write EPIPE'));
  for (const { ends } of [answered, lost])
    expect(ends).toMatchObject([{ code: Status.UNAVAILABLE, progress: 'processed' }]);
});

test('the endpoint hears what its trailers say of it, and of a success also that they say nothing', () => {
  const status = (code: Status, trailers: Record<string, string>) => ({
    code,
    details: '',
    metadata: Metadata.fromHttp2Headers(trailers),
  });
  const heard = (...end: Parameters<typeof status>) => {
    const { attempt, said } = opened();
    attempt.onReceiveStatus(status(...end));
    return said;
  };
  expect(heard(Status.OK, { 'grpc-lb-degraded': 'its replica lags' })).toEqual(['its replica lags']);
  expect(heard(Status.NOT_FOUND, { 'grpc-lb-degraded': 'x'.repeat(1000) })[0]).toHaveLength(200);
  expect(heard(Status.OK, {})).toEqual([undefined]);
  // It may be this side's.
  expect(heard(Status.UNAVAILABLE, {})).toEqual([]);
});

// Node keeps a closed stream, and what it reaches, until the next full garbage collection.
test.for([
  ['its status has arrived', (attempt: WireAttempt) => attempt.onReceiveStatus(ok())],
  ['this side has ended it', (attempt: WireAttempt) => attempt.abort(Status.CANCELLED, 'by the caller', 'caller')],
  ['another attempt was faster', (attempt: WireAttempt) => attempt.overtake()],
] as const)('its stream does not keep it once %s', async ([, end]) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const ended = () => {
    const { attempt, listener } = opened();
    end(attempt);
    return { listener, seen: new WeakRef(attempt) };
  };
  const { listener: late, seen } = ended();
  // A WeakRef keeps its object until the end of the turn that made it.
  await new Promise(setImmediate);
  collectGarbage();
  expect(seen.deref()).toBeUndefined();
  // What comes late goes nowhere.
  late.onReceiveMetadata(new Metadata());
  late.onReceiveMessage(Buffer.alloc(5));
  late.onReceiveStatus(ok());
});

test('hears of its stream by the listener', () => {
  const { listener, ends } = opened();
  listener.onReceiveMetadata(new Metadata());
  listener.onReceiveStatus(reset('The session has been destroyed'));
  expect(ends).toMatchObject([{ code: Status.UNAVAILABLE, progress: 'processed' }]);
});
