import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { status as Status } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackend } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { type HealthCall, WatchedServer } from '../../support/peers/watched-server.js';

expectNoLeaks();

type Options = ConstructorParameters<typeof BalancedClient>[0];

function clientOf(options: Options): BalancedClient {
  const client = new BalancedClient(options);
  onTestFinished(() => client.close());
  client.balanced.connect();
  return client;
}

const OOB = { name: 'weighted_round_robin', enableOobLoadReport: true } as const;

const serving = (call: HealthCall): unknown => call.write({ status: 'SERVING' });

const refusing = (code: Status) => (call: HealthCall) =>
  call.emit('error', Object.assign(new Error('no'), { code, details: 'no' }));

const limitOf = (client: BalancedClient) => client.snapshot.endpoints[0]!.connections[0]?.maxConcurrentStreams;

test.each([
  [1, 0, 0, 1],
  [2, 1, 0, 1],
  [3, 1, 1, 1],
  [10, 1, 1, 8],
])(
  'with %i streams the watches get %i for health and %i for load, and calls %i',
  async (limit, health, load, calls) => {
    const server = await WatchedServer.start({ 'grpc.max_concurrent_streams': limit });
    server.answer = serving;
    const client = await clientOf({
      target: server.target,
      loadBalancing: { policy: OOB, pool: { maxSize: 1 } },
    }).ready(1);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.say('x', { deadline: Date.now() + 15_000 })),
    );
    expect(answers).toHaveLength(20);
    expect([server.healthWatches, server.orcaWatches, limitOf(client)]).toEqual([health, load, calls]);
    const said = client.events.filter(({ type }) => type === 'health_not_offered');
    expect(said).toMatchObject(limit === 1 ? [{ why: 'STREAM_LIMIT', address: `127.0.0.1:${server.port}` }] : []);
  },
);

test.each(['health', 'load'] as const)('a call that waits for a stream goes when the %s watch ends', async (watch) => {
  const health = watch === 'health';
  const server = await WatchedServer.start({ 'grpc.max_concurrent_streams': health ? 2 : 3 });
  const answers: (() => void)[] = [];
  server.say = () => new Promise((answer) => answers.push(answer));
  let healthCall: HealthCall | undefined;
  server.answer = (call) => {
    healthCall = call;
    serving(call);
  };
  const loadBalancing = { pool: { maxSize: 1 }, ...(!health && { policy: OOB }) };
  const client = await clientOf({ target: server.target, loadBalancing }).ready(1);
  const watched = health ? healthCall! : await server.orcaCalls.next();
  expect(limitOf(client)).toBe(1);
  const calls = [client.say(), client.say()];
  await expect.poll(() => [client.snapshot.pending, answers.length]).toEqual([1, 1]);
  watched.end();
  await expect.poll(() => answers.length).toBe(2);
  for (const answer of answers) answer();
  await Promise.all(calls);
});

/** An HTTP/2 server that counts streams, and announces limits when the test says so. */
async function http2Server(onStream: (stream: http2.ServerHttp2Stream, path: string) => void, maxStreams?: number) {
  const sessions: http2.ServerHttp2Session[] = [];
  const settings = maxStreams === undefined ? {} : { maxConcurrentStreams: maxStreams };
  const server = http2.createServer({ settings });
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    onStream(stream, headers[':path'] ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const session of sessions) session.destroy();
    await closed;
  });
  return { target: `static:///127.0.0.1:${(server.address() as AddressInfo).port}`, sessions };
}

test('a peer that announces no stream gets no call and no watch until it announces some', async () => {
  const paths: string[] = [];
  const { target, sessions } = await http2Server((stream, path) => {
    paths.push(path);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(Status.UNIMPLEMENTED) }));
    stream.end();
  }, 0);
  const client = clientOf({ target, loadBalancing: { pool: { maxSize: 1 } } });
  await client.ready(1);
  expect(limitOf(client)).toBe(0);
  const call = client.say();
  await client.until(() => client.events.some(({ type }) => type === 'pool_saturated'));
  expect(paths).toEqual([]);
  sessions[0]!.settings({ maxConcurrentStreams: 10 });
  await expect(call).rejects.toMatchObject({ code: Status.UNIMPLEMENTED });
  expect(paths.toSorted()).toEqual(['/echo.v1.Echo/Say', '/grpc.health.v1.Health/Watch']);
});

test('a limit that falls below what the watch needs stops the watch, and calls continue', async () => {
  const open = new Set<string>();
  const { target, sessions } = await http2Server((stream, path) => {
    open.add(path);
    stream.once('close', () => open.delete(path));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    // SERVING
    stream.write(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
  });
  const client = await clientOf({ target, loadBalancing: { pool: { maxSize: 1 } } }).ready(1);
  expect([...open]).toEqual(['/grpc.health.v1.Health/Watch']);
  sessions[0]!.settings({ maxConcurrentStreams: 1 });
  await expect.poll(() => open.size).toBe(0);
  expect([limitOf(client), client.snapshot.state]).toEqual([1, 'ready']);
});

test('a peer that changes its limit all the time causes few watches, and calls continue', async () => {
  let watches = 0;
  const { target, sessions } = await http2Server((stream, path) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    if (path === '/grpc.health.v1.Health/Watch') {
      watches++;
      // SERVING
      stream.write(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
      return;
    }
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
  });
  const client = await clientOf({ target, loadBalancing: { pool: { maxSize: 1 } } }).ready(1);
  for (let i = 0; i < 500; i++) {
    const limit = i % 2 === 0 ? 1 : 100;
    await new Promise((acknowledged) => sessions[0]!.settings({ maxConcurrentStreams: limit }, acknowledged));
  }
  await client.say();
  // It was one for every other change.
  expect(watches).toBeLessThan(100);
});

test.each([
  ['UNAUTHENTICATED', Status.UNAUTHENTICATED],
  ['PERMISSION_DENIED', Status.PERMISSION_DENIED],
] as const)('a health service that refuses with %s does not take its endpoint out', async (why, code) => {
  const server = await WatchedServer.start();
  server.answer = refusing(code);
  const loadBalancing = { health: { panicThreshold: 0 } };
  const client = await clientOf({ target: server.target, loadBalancing }).ready(1);
  await client.say();
  expect(client.snapshot.panic).toBe(false);
  expect(client.events.filter(({ type }) => type === 'health_not_offered')).toMatchObject([{ why }]);
  expect(server.healthWatches).toBe(1);
});

test('health.metadata is sent to the health service, and is shown nowhere', async () => {
  const server = await WatchedServer.start();
  const tokens: unknown[] = [];
  server.answer = (call) => {
    tokens.push(call.metadata.get('authorization')[0]);
    if (tokens.at(-1) === 'Bearer secret-2') serving(call);
    else refusing(Status.UNAUTHENTICATED)(call);
  };
  const withToken = (token: string) => ({ health: { metadata: { authorization: `Bearer ${token}` } } });
  const client = await clientOf({ target: server.target, loadBalancing: withToken('secret-1') }).ready(1);
  // New metadata reopens the watch on the same connection.
  client.balanced.configure(withToken('secret-2'));
  await expect.poll(() => tokens).toEqual(['Bearer secret-1', 'Bearer secret-2']);
  const metadataOfCall = new Promise((resolve) => (server.say = (call) => resolve(call.metadata.get('authorization'))));
  await client.say();
  expect(await metadataOfCall).toEqual([]);
  const shown = JSON.stringify([client.snapshot, client.balanced.explain(), client.events]);
  expect(shown).not.toContain('secret');
  expect(client.snapshot.loadBalancing!.health.metadata).toEqual({ authorization: '(hidden)' });
});

test('an endpoint that answers the watch with an HTTP page is not healthy, and gets no calls beside a backend', async () => {
  let calls = 0;
  const page = await http2Server((stream, path) => {
    if (!path.startsWith('/grpc.health')) calls++;
    stream.respond({ ':status': 404, 'content-type': 'text/html' });
    stream.end('<html>Not Found</html>');
  });
  const server = await startBackend();
  onTestFinished(() => server.stop());
  const client = clientOf({
    target: `${page.target},${server.address}`,
    loadBalancing: { health: { panicThreshold: 0 } },
  });
  const states = (): string[] => client.snapshot.endpoints.map(({ state }) => state);
  await client.until(() => states().join() === 'not_serving,ready');
  await Promise.all(Array.from({ length: 50 }, () => client.say()));
  expect(calls).toBe(0);
  expect(client.snapshot.endpoints[0]!.reason).toBe(
    'the health watch got HTTP status 404 without a gRPC status, so the peer is not a gRPC server',
  );
});

test('a health service that answers once and ends is watched a few times, with an event', async () => {
  const server = await WatchedServer.start();
  server.answer = (call) => {
    serving(call);
    call.end();
  };
  const client = await clientOf({ target: server.target }).ready(1);
  await client.until(() => client.events.some(({ type }) => type === 'watch_backed_off'));
  for (let i = 0; i < 100; i++) await client.say();
  // After 1 s, 1.6 s, 2.6 s ...; it was thousands in that time.
  expect(server.healthWatches).toBeLessThanOrEqual(4);
  expect(client.events.filter(({ type }) => type === 'watch_backed_off')).toMatchObject([
    { watch: 'health', reason: 'the server ended the stream', total: 1 },
  ]);
  expect(client.snapshot.endpoints[0]!.state).toBe('ready');
});
