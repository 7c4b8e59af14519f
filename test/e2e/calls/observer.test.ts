import { constants } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import type { LoadBalancingOptions } from 'nestjs-grpc-lb';
import type { CallObservation, CallObserver } from 'nestjs-grpc-lb/grpc';
import { describe, expect, test } from 'vitest';
import { balanced, type Balanced, call, connected, KINDS, METHODS } from '../../support/calls/call.js';
import { SilentDiscovery } from '../../support/echo/balanced-client.js';
import { answer, answerAll, message, type RawCall, RawPeer } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

type Told = [what: string, ...details: unknown[]];

/** What an observer is told of one call, in its order. */
function recorder(): { observer: CallObserver; told: Told[] } {
  const told: Told[] = [];
  const end = ({
    code,
    details,
    metadata,
    origin,
  }: Parameters<NonNullable<CallObservation['ended']>>[0]): unknown[] => [
    grpc.status[code],
    details,
    Object.keys(metadata.getMap()).filter((key) => key !== 'date'),
    origin,
  ];
  const observer: CallObserver = {
    callStarted: ({ client, method, stream }) => {
      told.push(['call', { client, method, stream }]);
      return {
        attemptStarted: ({ waited, ...attempt }) => {
          expect(waited).toBeGreaterThanOrEqual(0);
          told.push(['attempt', attempt]);
        },
        headersReceived: (attempt, metadata) => told.push(['headers', attempt, metadata.get('x-head')]),
        messageSent: (attempt, bytes) => told.push(['sent', attempt, bytes]),
        messageReceived: (attempt, bytes) => told.push(['received', attempt, bytes]),
        attemptEnded: (attempt, given) => told.push(['attempt ended', attempt, ...end(given)]),
        dropped: (given) => told.push(['dropped', ...end(given)]),
        ended: (given) => told.push(['ended', ...end(given)]),
      };
    },
  };
  return { observer, told };
}

const methods = Object.values(METHODS).map((method) => ({
  service: 'echo.v1.Echo',
  method,
  responseStream: method === 'Repeat' || method === 'Talk',
  requestStream: method === 'Join' || method === 'Talk',
}));

async function observed(
  target: string,
  loadBalancing: LoadBalancingOptions = {},
  more: Parameters<typeof balanced>[1] = {},
): Promise<Balanced & { told: Told[] }> {
  const { observer, told } = recorder();
  const made = balanced(target, { methods, observer, loadBalancing, ...more });
  await connected(made.client);
  return { ...made, told };
}

const first = (peer: RawPeer, number = 1, kind = 'first'): Told => [
  'attempt',
  { number, kind, address: peer.address, waitedFor: undefined },
];

test.each(KINDS)('a call that succeeds: %s', async (kind) => {
  const peer = await new RawPeer((arrived) =>
    answerAll(arrived, {
      headers: { 'x-head': 'one' },
      messages: [message('hello')],
      trailers: { 'grpc-status': 0, 'x-tail': 'last' },
    }),
  ).start();
  const { client, told } = await observed(peer.target);
  await call(client, kind, { requests: ['ask'] });
  const ok = ['OK', '', ['x-tail'], 'remote'];
  expect(told).toEqual([
    ['call', { client: 'ECHO', method: `/echo.v1.Echo/${METHODS[kind]}`, stream: kind !== 'unary' }],
    first(peer),
    ['sent', 1, 3],
    ['headers', 1, ['one']],
    ['received', 1, 5],
    ['attempt ended', 1, ...ok],
    ['ended', ...ok],
  ]);
});

test('a retry: the message is told for each attempt that sends it', async () => {
  const peer: RawPeer = await new RawPeer((arrived) =>
    answerAll(
      arrived,
      peer.calls.length === 1
        ? { trailers: { 'grpc-status': 14, 'grpc-message': 'not yet' } }
        : { messages: [message('hello')] },
    ),
  ).start();
  const { client, told } = await observed(peer.target, { retry: { maxAttempts: 2, initialBackoff: 1 } });
  await call(client, 'unary');
  expect(told.slice(1)).toEqual([
    first(peer),
    ['sent', 1, 3],
    ['attempt ended', 1, 'UNAVAILABLE', 'not yet', expect.any(Array), 'remote'],
    first(peer, 2, 'retry'),
    ['sent', 2, 3],
    ['headers', 2, []],
    ['received', 2, 5],
    ['attempt ended', 2, 'OK', '', [], 'remote'],
    ['ended', 'OK', '', [], 'remote'],
  ]);
});

test('a transparent retry', async () => {
  let calls = 0;
  const refusesFirst = (arrived: RawCall): unknown =>
    ++calls === 1
      ? arrived.stream.close(constants.NGHTTP2_REFUSED_STREAM)
      : answer(arrived, { messages: [message('hello')] });
  const [peer, other] = [await new RawPeer(refusesFirst).start(), await new RawPeer(refusesFirst).start()];
  const { client, told } = await observed(`static:///${peer.address},${other.address}`);
  await call(client, 'unary');
  const attempts = told.filter(([what]) => what === 'attempt').map(([, attempt]) => (attempt as { kind: string }).kind);
  expect(attempts).toEqual(['first', 'transparent']);
  expect(told.at(-1)).toEqual(['ended', 'OK', '', [], 'remote']);
});

test('a hedge: the attempt that loses ends on this side', async () => {
  let held: RawCall | undefined;
  const handle = (arrived: RawCall): void => {
    if (held) answer(arrived, { messages: [message('hello')] });
    else held = arrived;
  };
  const peers = await Promise.all([new RawPeer(handle).start(), new RawPeer(handle).start()]);
  const { client, channel, told } = await observed(`static:///${peers.map(({ address }) => address).join(',')}`, {
    hedge: { maxAttempts: 2, delay: 10, methods: { Say: {} } },
  });
  await expect.poll(() => channel.snapshot().endpoints.map(({ state }) => state)).toEqual(['ready', 'ready']);
  expect(await call(client, 'unary')).toMatchObject({ messages: ['hello'] });
  const whats = told.map(([what, detail]) =>
    what === 'attempt' ? (detail as { kind: string }).kind : typeof detail === 'number' ? `${what} ${detail}` : what,
  );
  expect(whats).toEqual([
    'call',
    'first',
    'sent 1',
    'hedge',
    'sent 2',
    'attempt ended 1',
    'headers 2',
    'received 2',
    'attempt ended 2',
    'ended',
  ]);
  expect(told[5]!.slice(2)).toEqual(['CANCELLED', 'Discarded in favor of another attempt', [], 'local']);
});

describe('which side ended it', () => {
  test('a cancellation, a deadline and a limit are local', async () => {
    const peer = await new RawPeer((arrived) => {
      if (arrived.headers['x-large']) answer(arrived, { messages: [message(Buffer.alloc(2000))] });
    }).start();
    const channelOptions = { 'grpc.max_receive_message_length': 1000, 'grpc.max_send_message_length': 1000 };
    const { client, told } = await observed(peer.target, {}, { channelOptions });
    const ends = async (spec: Parameters<typeof call>[2]): Promise<unknown> => {
      told.length = 0;
      await call(client, 'unary', spec);
      return told.filter(([what]) => what.endsWith('ended')).map((each) => [each[0], each.at(-4), each.at(-1)]);
    };
    const both = (code: string): unknown => [
      ['attempt ended', code, 'local'],
      ['ended', code, 'local'],
    ];
    expect(await ends({ onCall: (started) => setTimeout(() => started.cancel(), 20) })).toEqual(both('CANCELLED'));
    expect(await ends({ deadline: Date.now() + 100 })).toEqual(both('DEADLINE_EXCEEDED'));
    const large = new grpc.Metadata();
    large.set('x-large', '1');
    expect(await ends({ metadata: large })).toEqual(both('RESOURCE_EXHAUSTED'));
    expect(await ends({ requests: ['x'.repeat(1001)] })).toEqual(both('RESOURCE_EXHAUSTED'));
  });

  test('a status, a reset and a lost connection are remote', async () => {
    const plays: ((arrived: RawCall) => void)[] = [
      (arrived) => answer(arrived, { trailers: { 'grpc-status': 4, 'grpc-message': 'the server says so' } }),
      ({ stream }) => stream.close(constants.NGHTTP2_CANCEL),
      ({ stream }) => stream.session!.destroy(),
    ];
    for (const [play, code] of [
      [plays[0]!, 'DEADLINE_EXCEEDED'],
      [plays[1]!, 'CANCELLED'],
      [plays[2]!, 'UNAVAILABLE'],
    ] as const) {
      const peer = await new RawPeer(play).start();
      const { client, told } = await observed(peer.target);
      await call(client, 'unary');
      expect(told.slice(-2).map((each) => [each[0], each.at(-4), each.at(-1)])).toEqual([
        ['attempt ended', code, 'remote'],
        ['ended', code, 'remote'],
      ]);
    }
  });

  test('a call that is refused without an attempt is dropped, and local', async () => {
    const discovery = new SilentDiscovery();
    const { observer, told } = recorder();
    const { client, channel } = balanced(discovery.target, { observer, loadBalancing: { pool: { maxPending: 1 } } });
    const waiting = call(client, 'unary');
    const { details } = await call(client, 'unary');
    expect(told.slice(2)).toEqual([
      ['dropped', 'RESOURCE_EXHAUSTED', details, [], 'local'],
      ['ended', 'RESOURCE_EXHAUSTED', details, [], 'local'],
    ]);
    channel.close();
    await waiting;
    expect(told.at(-1)).toEqual(['ended', 'UNAVAILABLE', 'Channel closed before call started', [], 'local']);
  });
});

test('a call that is cancelled before its start is told as one that started and ended', async () => {
  const { observer, told } = recorder();
  const { channel } = balanced('static:///127.0.0.1:1', { observer });
  const running = channel.createCall('/echo.v1.Echo/Say', Infinity);
  running.cancelWithStatus(grpc.status.CANCELLED, 'no');
  await new Promise((resolve) =>
    running.start(new grpc.Metadata(), { onReceiveMetadata() {}, onReceiveMessage() {}, onReceiveStatus: resolve }),
  );
  expect(told.slice(1)).toEqual([['ended', 'CANCELLED', 'no', [], 'local']]);
});

test('a header that an observer sets is sent with each attempt, not added to the metadata of the caller', async () => {
  const peer: RawPeer = await new RawPeer((arrived) =>
    answerAll(
      arrived,
      peer.calls.length === 1 ? { trailers: { 'grpc-status': 14 } } : { messages: [message('hello')] },
    ),
  ).start();
  const observer: CallObserver = {
    callStarted: (started) => {
      started.setHeader('traceparent', '00-1-2-01');
      return undefined;
    },
  };
  const { client } = balanced(peer.target, {
    methods,
    observer,
    loadBalancing: { retry: { maxAttempts: 2, initialBackoff: 1 } },
  });
  await connected(client);
  const metadata = new grpc.Metadata();
  expect(await call(client, 'unary', { metadata })).toMatchObject({ code: grpc.status.OK });
  expect(peer.calls.map(({ headers }) => headers['traceparent'])).toEqual(['00-1-2-01', '00-1-2-01']);
  expect(metadata.getMap()).toEqual({});
});

test('several observers are told of each call, until they are removed', async () => {
  const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
  const [one, other] = [recorder(), recorder()];
  const { client, channel } = balanced(peer.target, { observer: one.observer });
  const remove = channel.observe(other.observer);
  await call(client, 'unary');
  expect(other.told).toEqual(one.told);
  expect(one.told.map(([what]) => what)).toContain('ended');
  remove();
  const { length } = other.told;
  await call(client, 'unary');
  expect(other.told).toHaveLength(length);
  expect(one.told).toHaveLength(2 * length);
});

test('an observer that throws breaks no call, and is reported once', async () => {
  const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
  const fail = (): never => {
    throw new Error('a bug of the observer');
  };
  const all: Required<CallObservation> = {
    waits: fail,
    notSent: fail,
    attemptStarted: fail,
    headersReceived: fail,
    messageSent: fail,
    messageReceived: fail,
    attemptEnded: fail,
    dropped: fail,
    ended: fail,
  };
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void (warning.name === 'GrpcLbWarning' && warnings.push(warning));
  process.on('warning', onWarning);
  for (const callStarted of [() => all, fail]) {
    const { client, channel } = balanced(peer.target, { observer: { callStarted } });
    for (const kind of KINDS) expect(await call(client, kind)).toMatchObject({ messages: ['hello'] });
    const cancelled = call(client, 'unary', { onCall: (started) => started.cancel() });
    expect((await cancelled).code).toBe(grpc.status.CANCELLED);
    expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
  }
  await new Promise(setImmediate);
  process.off('warning', onWarning);
  expect(warnings.map(({ message: text }) => text)).toEqual([
    expect.stringMatching(/^The observer of client ECHO failed: .*a bug of the observer/),
    expect.stringMatching(/^The observer of client ECHO failed: /),
  ]);
});
