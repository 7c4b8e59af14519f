import { constants } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import type { CallObserver } from 'nestjs-grpc-lb/grpc';
import { afterEach, expect, test, vi } from 'vitest';
import { StreamListener } from '../../../libs/grpc-lb/src/grpc/call/stream-listener.js';
import { balanced, call, connected } from '../../support/calls/call.js';
import { SilentDiscovery } from '../../support/echo/balanced-client.js';
import { answer, answerAll, message, type RawCall, RawPeer } from '../../support/peers/raw-peer.js';
import { pretendedTls } from '../../support/peers/pretended-tls.js';
import { SilentServer } from '../../support/peers/silent-server.js';
import { freePort } from 'nestjs-grpc-lb/testing';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();
afterEach(() => vi.restoreAllMocks());

const methods = [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false, requestStream: false }];

test('it says what the attempt waited for, and how long', async () => {
  const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
  const discovery = new SilentDiscovery();
  const waits: unknown[] = [];
  const observer: CallObserver = {
    callStarted: () => ({ attemptStarted: ({ waited, waitedFor }) => waits.push([waited > 0, waitedFor]) }),
  };
  const { client } = balanced(discovery.target, { observer, credentials: pretendedTls() });
  const running = call(client, 'unary');
  const asks = grpc.credentials.createFromMetadataGenerator((_options, done) =>
    setTimeout(() => done(null, new grpc.Metadata()), 30),
  );
  setTimeout(() => discovery.setEndpoints([{ address: { host: '127.0.0.1', port: peer.port } }]), 30);
  await running;
  await call(client, 'unary', { credentials: asks });
  await call(client, 'unary');
  expect(waits).toEqual([
    [true, 'connection'],
    [true, 'call_credentials'],
    [false, undefined],
  ]);
});

test('each thing that a call waits for is told when the wait begins, and how it is given up', async () => {
  const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
  const discovery = new SilentDiscovery();
  const told: unknown[] = [];
  const observer: CallObserver = {
    callStarted: () => ({
      waits: (reason) => told.push(reason),
      attemptStarted: ({ waitedFor }) => told.push(['sent', waitedFor]),
      notSent: (end) => told.push(['not sent', end?.code]),
      ended: ({ code }) => told.push(['ended', code]),
    }),
  };
  const { client } = balanced(discovery.target, { observer });
  const running = call(client, 'unary');
  await expect.poll(() => told).toEqual(['discovery']);
  discovery.setEndpoints([{ address: { host: '127.0.0.1', port: peer.port } }]);
  await running;
  expect(told.splice(0)).toEqual(['discovery', 'connection', ['sent', 'connection'], ['ended', grpc.status.OK]]);

  const unreachable = await freePort();
  const other = balanced(`static:///127.0.0.1:${unreachable}`, { observer });
  expect((await call(other.client, 'unary')).code).toBe(grpc.status.UNAVAILABLE);
  expect(told.splice(0)).toEqual(['discovery', 'connection', ['not sent', 14], ['ended', 14]]);

  const metadata = new grpc.Metadata({ waitForReady: true });
  const waiting = call(other.client, 'unary', { metadata, onCall: (started) => setTimeout(() => started.cancel(), 5) });
  expect((await waiting).code).toBe(grpc.status.CANCELLED);
  expect(told).toEqual(['ready', ['ended', grpc.status.CANCELLED]]);
});

test('calls behind one that waits are told what they wait for, too', async () => {
  const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
  const discovery = new SilentDiscovery();
  const told: unknown[][] = [];
  const observer: CallObserver = {
    callStarted: () => {
      const own: unknown[] = [];
      told.push(own);
      return {
        waits: (reason) => own.push(reason),
        attemptStarted: ({ waited, waitedFor }) => own.push([waited > 0, waitedFor]),
      };
    },
  };
  const pool = { maxConcurrentStreams: 1, maxSize: 1 };
  const { client } = balanced(discovery.target, { observer, loadBalancing: { pool } });
  const running = ['first', 'second', 'third'].map(() => call(client, 'unary'));
  await expect.poll(() => told).toEqual([['discovery'], ['discovery'], ['discovery']]);
  discovery.setEndpoints([{ address: { host: '127.0.0.1', port: peer.port } }]);
  await Promise.all(running);
  const behind = ['discovery', 'connection', 'stream_limit', [true, 'stream_limit']];
  expect(told).toEqual([['discovery', 'connection', [true, 'connection']], behind, behind]);
});

test('they are told again when they have waited for something else meanwhile', async () => {
  const silent = await new SilentServer().start();
  const discovery = new SilentDiscovery();
  const told: unknown[][] = [];
  const observer: CallObserver = {
    callStarted: () => {
      const own: unknown[] = [];
      told.push(own);
      return { waits: (reason) => own.push(reason) };
    },
  };
  const { client, channel } = balanced(discovery.target, { observer });
  const metadata = new grpc.Metadata({ waitForReady: true });
  const running = ['first', 'second'].map(() => call(client, 'unary', { metadata }));
  discovery.setEndpoints([{ address: { host: '127.0.0.1', port: await freePort() } }]);
  const failed = ['discovery', 'connection', 'ready'];
  await expect.poll(() => told).toEqual([failed, failed]);
  discovery.setEndpoints([{ address: { host: '127.0.0.1', port: silent.port } }]);
  const again = [...failed, 'connection'];
  await expect.poll(() => told).toEqual([again, again]);
  channel.close();
  await Promise.all(running);
  await silent.stop();
});

test('an attempt that waits and is not needed any more is told as not sent', async () => {
  const peer = await new RawPeer(() => {}).start();
  const told: unknown[] = [];
  const observer: CallObserver = {
    callStarted: () => ({
      waits: (reason) => told.push(reason),
      attemptStarted: ({ kind }) => told.push(kind),
      notSent: (end) => told.push(['not sent', end]),
    }),
  };
  const hedge = { maxAttempts: 2, delay: 5, maxShare: 1, methods: { Say: {} } };
  const { client } = balanced(peer.target, {
    methods,
    observer,
    credentials: pretendedTls(),
    loadBalancing: { hedge },
  });
  await connected(client);
  let asked = 0;
  // Never for the hedge.
  const credentials = grpc.credentials.createFromMetadataGenerator((_options, done) => {
    if (++asked === 1) done(null, new grpc.Metadata());
  });
  const running = call(client, 'unary', { credentials });
  await expect.poll(() => told).toEqual(['call_credentials', 'first', 'call_credentials']);
  // The attempt is told as started before the peer has it.
  await expect.poll(() => peer.calls).toHaveLength(1);
  await answerAll(peer.calls[0]!, { messages: [message('hello')] });
  expect((await running).code).toBe(grpc.status.OK);
  expect(told).toEqual(['call_credentials', 'first', 'call_credentials', ['not sent', undefined]]);
});

test('an attempt that may not wait is told as not sent, not as a dropped call, while another one runs', async () => {
  const arrivals: RawCall[] = [];
  const peers = await Promise.all([1, 2, 3].map(() => new RawPeer((arrived) => void arrivals.push(arrived)).start()));
  const told: unknown[] = [];
  const observer: CallObserver = {
    callStarted: () => ({
      attemptStarted: ({ kind }) => told.push(kind),
      notSent: (end) => told.push(['not sent', end && grpc.status[end.code]]),
      dropped: () => told.push('dropped'),
      ended: ({ code }) => told.push(['ended', grpc.status[code]]),
    }),
  };
  const { client, channel } = balanced(`static:///${peers.map(({ address }) => address).join(',')}`, {
    methods,
    observer,
    loadBalancing: {
      hedge: { maxAttempts: 2, delay: 5, maxShare: 1, methods: { Say: {} } },
      pool: { maxConcurrentStreams: 1, maxSize: 1, maxPending: 0 },
    },
  });
  channel.connect();
  await expect.poll(() => channel.snapshot().endpoints.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
  const other = call(client, 'bidi');
  await expect.poll(() => arrivals).toHaveLength(1);
  told.length = 0;
  const running = call(client, 'unary');
  await expect.poll(() => arrivals).toHaveLength(3);
  // The only endpoint where the call has not been is full.
  arrivals[1]!.stream.close(constants.NGHTTP2_REFUSED_STREAM);
  await expect.poll(() => told).toHaveLength(3);
  answer(arrivals[2]!, { messages: [message('hello')] });
  expect((await running).code).toBe(grpc.status.OK);
  expect(told).toEqual(['first', 'hedge', ['not sent', 'RESOURCE_EXHAUSTED'], ['ended', 'OK']]);
  answer(arrivals[0]!, {});
  await other;
});

test('an attempt that is refused is told as not sent once, also if another one is answered in the same turn', async () => {
  const peer = await new RawPeer(() => {}).start();
  const told: unknown[] = [];
  const observer: CallObserver = {
    callStarted: () => ({
      attemptStarted: ({ kind }) => told.push(kind),
      headersReceived: () => told.push('headers'),
      notSent: (end) => told.push(['not sent', end?.details]),
    }),
  };
  const hedge = { maxAttempts: 2, delay: 5, maxShare: 1, methods: { Say: {} } };
  const { client } = balanced(peer.target, {
    methods,
    observer,
    credentials: pretendedTls(),
    loadBalancing: { hedge },
  });
  await connected(client);
  let fail: ((error: Error) => void) | undefined;
  let asked = 0;
  const credentials = grpc.credentials.createFromMetadataGenerator((_options, done) => {
    if (++asked === 1) done(null, new grpc.Metadata());
    else fail = done;
  });
  const running = call(client, 'unary', { credentials });
  await expect.poll(() => ({ asked, arrived: peer.calls.length })).toEqual({ asked: 2, arrived: 1 });
  // The hedge is refused in the turn in which the answer to the first attempt is read.
  const read = StreamListener.prototype.onReceiveMetadata;
  const reading = vi.spyOn(StreamListener.prototype, 'onReceiveMetadata');
  reading.mockImplementationOnce(function (this: StreamListener, headers) {
    fail!(new Error('expired'));
    const readWhenRefused = (): void => {
      if (told.length < 2) queueMicrotask(readWhenRefused);
      else read.call(this, headers);
    };
    readWhenRefused();
  });
  const { stream } = peer.calls[0]!;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  await expect.poll(() => told).toContain('headers');
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0 }));
  stream.end(message('hello'));
  expect((await running).code).toBe(grpc.status.OK);
  expect(told).toEqual(['first', ['not sent', 'Getting metadata from plugin failed with error: expired'], 'headers']);
});
