import { constants } from 'node:http2';
import { deflateSync, gzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { makeCertificate } from '../../support/peers/certificates.js';
import { type AnyCall, balanced, call, connected, KINDS, slowInterceptor, stock } from '../../support/calls/call.js';
import { ScriptedBackend } from '../../support/nest/backend.js';
import { type Answer, answer, answerAll, message, type RawCall, RawPeer } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const OK = { 'grpc-status': '0' };
const DETAILS = Buffer.from([8, 5, 18, 4, 103, 111, 110, 101]).toString('base64');

/** Answers of a server. The oracle is grpc-js's own channel: the caller gets the same from ours. */
const ANSWERS: Record<string, Answer | ((call: RawCall) => void)> = {
  'headers, a message and trailers': {
    headers: { 'x-head': 'one', 'x-two': ['a', 'b'] },
    messages: [message('hello')],
    trailers: { ...OK, 'x-tail': 'last' },
  },
  'an empty message': { messages: [message('')] },
  'binary metadata': {
    headers: { 'x-head-bin': Buffer.from([0, 255, 1]).toString('base64') },
    messages: [message('hello')],
    trailers: { ...OK, 'x-tail-bin': [Buffer.from([7]).toString('base64'), Buffer.from([8, 9]).toString('base64')] },
  },
  'rich status details': {
    headers: {},
    trailers: { 'grpc-status': '5', 'grpc-message': 'gone', 'grpc-status-details-bin': DETAILS },
  },
  'a status with a percent-encoded message': { trailers: { 'grpc-status': '9', 'grpc-message': 'caf%C3%A9 %25' } },
  'a message that cannot be decoded': { trailers: { 'grpc-status': '9', 'grpc-message': '100%' } },
  'trailers only': { trailers: { 'grpc-status': '8', 'grpc-message': 'enough', 'x-tail': 'last' } },
  'a message, then an error': {
    messages: [message('hello')],
    trailers: { 'grpc-status': '10', 'grpc-message': 'not so fast', 'x-tail': 'last' },
  },
  'a status that gRPC does not know': { trailers: { 'grpc-status': '77', 'grpc-message': 'what' } },
  'a status that is not a number': { trailers: { 'grpc-status': 'good' } },
  'no status': { headers: {}, messages: [message('hello')], trailers: { 'x-tail': 'last' } },
  'no message': { headers: {} },
  'no trailers': ({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.end(message('hello'));
  },
  'a stream that is reset': ({ stream }) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  'a stream that is canceled': ({ stream }) => stream.close(constants.NGHTTP2_CANCEL),
  'a stream that is reset after headers': ({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    setImmediate(() => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM));
  },
  'a page of HTML': ({ stream }) => {
    stream.respond({ ':status': 502, 'content-type': 'text/html' });
    stream.end('<html>bad gateway, and this is longer than a frame header</html>');
  },
  ...Object.fromEntries(
    [400, 401, 403, 404, 429, 500, 503].map((status) => [
      `HTTP status ${status}`,
      ({ stream }: RawCall) => stream.respond({ ':status': status }, { endStream: true }),
    ]),
  ),
  'a gzipped message': {
    headers: { 'grpc-encoding': 'gzip' },
    messages: [message(gzipSync('hello'), 1)],
  },
  'a deflated message': {
    headers: { 'grpc-encoding': 'deflate' },
    messages: [message(deflateSync('hello'), 1)],
  },
  'a plain message in a gzipped stream': { headers: { 'grpc-encoding': 'gzip' }, messages: [message('hello')] },
  'a message that is not what its encoding says': {
    headers: { 'grpc-encoding': 'gzip' },
    messages: [message('not gzip', 1)],
  },
  'a message that decompresses to more than allowed': {
    headers: { 'grpc-encoding': 'gzip' },
    messages: [message(gzipSync(Buffer.alloc(100_000)), 1)],
  },
  'a message that is larger than allowed': { messages: [message(Buffer.alloc(2000))] },
};

const LIMIT = { 'grpc.max_receive_message_length': 1000 };

describe.each(KINDS)('%s', (kind) => {
  test.each(Object.keys(ANSWERS))('the caller gets what it gets from grpc-js: %s', async (name) => {
    const given = ANSWERS[name]!;
    const peer = await new RawPeer((arrived) =>
      typeof given === 'function' ? given(arrived) : answerAll(arrived, given),
    ).start();
    const expected = await call(stock(peer.address, LIMIT), kind);
    const { client, channel } = balanced(peer.target, { channelOptions: LIMIT });
    const found = await call(client, kind);
    expect(found).toEqual(expected);
    expect(await call(client, kind, { interceptors: [slowInterceptor] })).toEqual(expected);
    expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
  });
});

test('a slow reader gets as many messages before an error as from grpc-js, which drops those that wait in it', async () => {
  const messages = Array.from({ length: 60 }, (_, i) => message(`${i}`));
  const trailers = { 'grpc-status': '10' };
  const peer = await new RawPeer((arrived) => answerAll(arrived, { messages, trailers })).start();
  const { client } = balanced(peer.target);
  const seen: string[][] = [];
  for (const each of [stock(peer.address), client]) {
    const stream = each.makeServerStreamRequest('/echo.v1.Echo/Repeat', Buffer.from, String, 'x');
    const status = new Promise((resolve) => stream.once('status', resolve));
    const texts: string[] = [];
    const read = async (): Promise<void> => {
      for await (const text of stream as AsyncIterable<string>) {
        texts.push(text);
        await status;
      }
    };
    await expect(read()).rejects.toMatchObject({ code: grpc.status.ABORTED });
    seen.push(texts);
  }
  // A stream of grpc-js has room for 16.
  expect(seen[1]).toEqual(Array.from({ length: Math.max(16, seen[0]!.length) }, (_, i) => `${i}`));
});

test.each(['unary', 'client streaming'] as const)(
  'a server that sends two messages breaks a call with one response, for which grpc-js would wait until its deadline: %s',
  async (kind) => {
    const peer = await new RawPeer((arrived) =>
      answerAll(arrived, { messages: [message('one'), message('two')] }),
    ).start();
    const methods = [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }];
    const { client } = balanced(peer.target, {
      methods: [...methods, { ...methods[0]!, method: 'Join', requestStream: true }],
    });
    expect(await call(client, kind)).toMatchObject({
      code: grpc.status.UNIMPLEMENTED,
      details: 'Too many responses received',
    });
  },
);

test('of a unary method that is not declared it holds back the status until the deadline, as with grpc-js', async () => {
  const peer = await new RawPeer((arrived) =>
    answerAll(arrived, { messages: [message('one'), message('two')] }),
  ).start();
  const { client } = balanced(peer.target);
  for (const each of [client, stock(peer.address)]) {
    await connected(each);
    expect(await call(each, 'unary', { deadline: Date.now() + 300 })).toMatchObject({
      code: grpc.status.DEADLINE_EXCEEDED,
      messages: [],
    });
  }
});

test('requests over the limit fail as with grpc-js, before they are sent', async () => {
  const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
  const limit = { 'grpc.max_send_message_length': 10 };
  for (const kind of KINDS) {
    const spec = { requests: ['x'.repeat(11)] };
    const { client } = balanced(peer.target, { channelOptions: limit });
    const found = await call(client, kind, spec);
    expect(found).toEqual(await call(stock(peer.address, limit), kind, spec));
    expect(found.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect(await call(client, kind, { requests: ['x'.repeat(10)] })).toMatchObject({ code: grpc.status.OK });
  }
});

test('the headers of a request are those of grpc-js', async () => {
  const seen: unknown[] = [];
  const peer = await new RawPeer((arrived) => {
    const { date: _, ...headers } = arrived.headers;
    seen.push(headers);
    answer(arrived, { messages: [message('hello')] });
  }).start();
  const metadata = new grpc.Metadata();
  metadata.add('x-two', 'a');
  metadata.add('x-two', 'b');
  metadata.set('x-some-bin', Buffer.from([0, 200]));
  metadata.set('user-agent', 'mine');
  for (const options of [{}, { 'grpc.primary_user_agent': 'app/1', 'grpc.secondary_user_agent': 'and/2' }]) {
    for (const host of [undefined, 'orders.internal:99']) {
      const spec = host === undefined ? { metadata } : { metadata, host };
      await call(stock(peer.address, options), 'unary', spec);
      await call(balanced(peer.target, { channelOptions: options }).client, 'unary', spec);
      const [expected, found] = seen.splice(0);
      expect(found).toEqual(expected);
    }
  }
});

test('the metadata of the caller stays as it is, and may be used again or changed after the start', async () => {
  const seen: unknown[] = [];
  const peer = await new RawPeer((arrived) => {
    seen.push(arrived.headers['x-key']);
    answer(arrived, { messages: [message('hello')] });
  }).start();
  const { client } = balanced(peer.target);
  const metadata = new grpc.Metadata();
  metadata.set('x-key', 'first');
  const running = call(client, 'unary', { metadata, deadline: Date.now() + 60_000 });
  metadata.set('x-key', 'second');
  await running;
  expect(metadata.getMap()).toEqual({ 'x-key': 'second' });
  await call(client, 'unary', { metadata });
  expect(seen).toEqual(['first', 'second']);
});

test('peer and auth context are those of the connection', async () => {
  const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
  const peers: string[] = [];
  for (const client of [stock(peer.address), balanced(peer.target).client]) {
    let running!: { getPeer(): string; getAuthContext(): unknown };
    await call(client, 'unary', {
      onCall: (started) => {
        running = started;
        started.once('metadata', () => peers.push(started.getPeer()));
      },
    });
    expect(running.getPeer()).toBe(peer.address);
    expect(running.getAuthContext()).toMatchObject({});
  }
  expect(peers).toEqual([peer.address, peer.address]);
});

test('the auth context of a TLS connection is that of grpc-js', async () => {
  const { key, cert } = makeCertificate(['localhost']);
  const backend = await new ScriptedBackend({ say: (_call, done) => done(null, {}) }).start(
    grpc.ServerCredentials.createSsl(null, [{ private_key: key, cert_chain: cert }]),
  );
  const credentials = grpc.credentials.createSsl(cert);
  const contexts: unknown[] = [];
  // On Node 26 grpc-js cannot ask for an address.
  const channelOptions = { 'grpc.ssl_target_name_override': 'localhost' };
  const clients = [
    stock(backend.address, channelOptions, credentials),
    balanced(backend.target, { credentials, channelOptions }).client,
  ];
  for (const client of clients) {
    const onCall = (started: AnyCall): void => {
      expect(started.getAuthContext()).toBeNull();
      started.once('status', () => {
        const { transportSecurityType, sslPeerCertificate } = started.getAuthContext()!;
        contexts.push({ transportSecurityType, subject: sslPeerCertificate?.subject });
      });
    };
    expect(await call(client, 'unary', { requests: [''], onCall })).toMatchObject({ code: grpc.status.OK });
  }
  expect(contexts[0]).toMatchObject({ transportSecurityType: 'ssl', subject: { CN: 'test' } });
  expect(contexts[1]).toEqual(contexts[0]);
});

test('arguments of createCall are checked as in grpc-js, and a closed channel throws', () => {
  const { channel } = balanced('static:///127.0.0.1:1');
  expect(() => channel.createCall(5 as never, Infinity)).toThrow('Channel#createCall: method must be a string');
  expect(() => channel.createCall('/a/b', undefined as never)).toThrow(
    'Channel#createCall: deadline must be a number or Date',
  );
  channel.close();
  expect(() => channel.createCall('/a/b', Infinity)).toThrow('Channel has been shut down');
});
