import * as grpc from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { balanced, call, connected, KINDS, type Kind, slowInterceptor } from '../../support/calls/call.js';
import { SilentDiscovery } from '../../support/echo/balanced-client.js';
import { deferred } from '../../support/echo/cluster.js';
import { pretendedTls } from '../../support/peers/pretended-tls.js';
import { answer, message, RawPeer } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

type Generator = Parameters<typeof grpc.credentials.createFromMetadataGenerator>[0];

function tokens(next: () => string, key = 'x-token'): grpc.CallCredentials {
  return grpc.credentials.createFromMetadataGenerator((_options, done) => {
    const metadata = new grpc.Metadata();
    metadata.set(key, next());
    done(null, metadata);
  });
}

function failing(error: unknown): grpc.CallCredentials {
  return grpc.credentials.createFromMetadataGenerator((_options, done) => done(error as Error));
}

/** A peer whose calls arrive as the tokens that they carry. */
async function tokenPeer(failures = 0): Promise<RawPeer> {
  let left = failures;
  return new RawPeer((arrived) =>
    answer(
      arrived,
      left-- > 0
        ? { trailers: { 'grpc-status': 14, 'grpc-message': 'not yet' } }
        : { messages: [message(String(arrived.headers['x-token']))] },
    ),
  ).start();
}

describe.each(KINDS)('%s', (kind) => {
  test('the credentials of the call come first, then those of the channel', async () => {
    const peer = await tokenPeer();
    const { client } = balanced(peer.target, { credentials: pretendedTls(tokens(() => 'channel')) });
    const metadata = new grpc.Metadata();
    metadata.set('x-token', 'own');
    const composed = tokens(() => 'one').compose(tokens(() => 'two'));
    for (const interceptors of [[], [slowInterceptor]]) {
      expect(await call(client, kind, { interceptors })).toMatchObject({ messages: ['channel'] });
      expect(await call(client, kind, { interceptors, credentials: tokens(() => 'call') })).toMatchObject({
        messages: ['call, channel'],
      });
      expect(await call(client, kind, { interceptors, metadata, credentials: composed })).toMatchObject({
        messages: ['own, one, two, channel'],
      });
    }
    expect(metadata.getMap()).toEqual({ 'x-token': 'own' });
  });

  test('a failure ends the call before it is sent: with its code, or UNKNOWN, or INTERNAL for a code that only a server may choose', async () => {
    const peer = await tokenPeer();
    const { client, channel } = balanced(peer.target, { credentials: pretendedTls() });
    const fail = (error: unknown): Promise<unknown> => call(client, kind, { credentials: failing(error) });
    const { UNAUTHENTICATED, UNKNOWN, INTERNAL, NOT_FOUND } = grpc.status;
    expect(await fail(Object.assign(new Error('expired'), { code: UNAUTHENTICATED }))).toMatchObject({
      code: UNAUTHENTICATED,
      details: 'Getting metadata from plugin failed with error: expired',
    });
    expect(await fail(new Error('no network'))).toMatchObject({ code: UNKNOWN });
    expect(await fail(Object.assign(new Error('lost'), { code: 'ENOENT' }))).toMatchObject({ code: UNKNOWN });
    // gRFC A54.
    expect(await fail(Object.assign(new Error('no such user'), { code: NOT_FOUND }))).toMatchObject({
      code: INTERNAL,
      details:
        'Invalid status from control plane: 5 NOT_FOUND Getting metadata from plugin failed with error: no such user',
    });
    expect(peer.calls).toEqual([]);
    expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
  });

  test('credentials that throw fail only their own call', async () => {
    const peer = await tokenPeer();
    const { client, channel } = balanced(peer.target, { credentials: pretendedTls() });
    await connected(client);
    const throwing = grpc.credentials.createFromMetadataGenerator(() => {
      throw new Error('a bug');
    });
    class Wild extends grpc.CallCredentials {
      generateMetadata(): never {
        throw new Error('a worse bug');
      }
      compose(): grpc.CallCredentials {
        return this;
      }
      _equals(): boolean {
        return false;
      }
    }
    const wild = new Wild();
    for (const [credentials, text] of [
      [throwing, 'a bug'],
      [wild, 'a worse bug'],
    ] as const) {
      expect(await call(client, kind, { credentials })).toMatchObject({
        code: grpc.status.UNKNOWN,
        details: `Getting metadata from plugin failed with error: ${text}`,
      });
    }
    expect(await call(client, kind)).toMatchObject({ code: grpc.status.OK });
    expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
  });

  test.each([{ 'x-token': 's3cret' }, 's3cret', null])('so do those that give no metadata: %o', async (given) => {
    const peer = await tokenPeer();
    const { client, channel } = balanced(peer.target, { credentials: pretendedTls() });
    const credentials = grpc.credentials.createFromMetadataGenerator((_options, done) => done(null, given as never));
    const { code, details } = await call(client, kind, { credentials });
    expect([grpc.status[code], details]).toEqual([
      'UNKNOWN',
      expect.stringMatching(/^Getting metadata from plugin failed with error: it gave .+, not Metadata of grpc-js$/),
    ]);
    expect(details).not.toContain('s3cret');
    expect(await call(client, kind)).toMatchObject({ code: grpc.status.OK });
    expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
  });

  test.each(['is cancelled', 'exceeds its deadline'])(
    'a call that %s while it waits for credentials is not sent, whenever they come',
    async (how) => {
      const peer = await tokenPeer();
      const { client, channel } = balanced(peer.target, { credentials: pretendedTls() });
      await connected(client);
      const asked = deferred();
      let give!: Parameters<Generator>[1];
      const slow = grpc.credentials.createFromMetadataGenerator((_options, done) => {
        give = done;
        asked.resolve();
      });
      let running!: { cancel(): void };
      const deadline = how === 'is cancelled' ? Infinity : Date.now() + 50;
      const result = call(client, kind, { credentials: slow, deadline, onCall: (started) => (running = started) });
      await asked.promise;
      if (how === 'is cancelled') running.cancel();
      expect((await result).code).toBe(how === 'is cancelled' ? grpc.status.CANCELLED : grpc.status.DEADLINE_EXCEEDED);
      give(null, new grpc.Metadata());
      expect(await call(client, kind)).toMatchObject({ code: grpc.status.OK });
      expect(peer.calls).toHaveLength(1);
      expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
    },
  );
});

test('they are asked anew for each attempt, with the url of the service', async () => {
  const peer = await tokenPeer(2);
  let asked = 0;
  const options: unknown[] = [];
  const credentials = grpc.credentials.createFromMetadataGenerator((given, done) => {
    options.push(given);
    const metadata = new grpc.Metadata();
    metadata.set('x-token', `token ${++asked}`);
    done(null, metadata);
  });
  const { client } = balanced(peer.target, {
    credentials: pretendedTls(),
    methods: [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }],
    loadBalancing: { retry: { maxAttempts: 3, initialBackoff: 1 } },
  });
  expect(await call(client, 'unary', { credentials, host: 'orders.internal:443' })).toMatchObject({
    messages: ['token 3'],
  });
  expect(peer.calls.map(({ headers }) => headers['x-token'])).toEqual(['token 1', 'token 2', 'token 3']);
  expect(options[0]).toEqual({ method_name: '/echo.v1.Echo/Say', service_url: 'https://orders.internal/echo.v1.Echo' });
});

test('they are asked when there is a connection, so that a token does not expire while the call waits for one', async () => {
  const peer = await tokenPeer();
  const discovery = new SilentDiscovery();
  const { client, channel } = balanced(discovery.target, { credentials: pretendedTls() });
  let asked = 0;
  const results = (['unary', 'bidi'] as Kind[]).map((kind) =>
    call(client, kind, { credentials: tokens(() => `token ${++asked}`) }),
  );
  await new Promise(setImmediate);
  expect({ asked, pending: channel.snapshot().pending }).toEqual({ asked: 0, pending: 2 });
  discovery.setEndpoints([{ address: { host: '127.0.0.1', port: peer.port } }]);
  expect((await Promise.all(results)).map(({ messages }) => messages)).toEqual([['token 1'], ['token 2']]);
});

test('headers that HTTP/2 forbids, from credentials, fail the call alone', async () => {
  const peer = await tokenPeer();
  const { client, channel } = balanced(peer.target, { credentials: pretendedTls() });
  const metadata = new grpc.Metadata();
  metadata.set('authorization', 'mine');
  for (const [credentials, text] of [
    [tokens(() => 'keep-alive', 'connection'), '"connection"'],
    [tokens(() => 'theirs', 'authorization'), '"authorization" metadata cannot have multiple values'],
  ] as const) {
    expect(await call(client, 'unary', { credentials, metadata })).toMatchObject({
      code: grpc.status.INTERNAL,
      details: expect.stringContaining(text),
    });
  }
  expect(await call(client, 'unary')).toMatchObject({ code: grpc.status.OK });
  expect(peer.calls).toHaveLength(1);
  expect(channel.snapshot()).toMatchObject({ inFlight: 0, pending: 0 });
});
