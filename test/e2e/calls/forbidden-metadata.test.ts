import http2 from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { type Line, staticTarget } from '../../support/echo/cluster.js';
import { CLIENTS, echoOptions, type EchoStub, errorOf, startApp } from '../../support/nest/app.js';
import { pretendedTls } from '../../support/peers/pretended-tls.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

type Entries = readonly (readonly [key: string, value: string])[];

const FORBIDDEN: readonly (readonly [name: string, entries: Entries])[] = [
  ['connection', [['connection', 'keep-alive']]],
  ['keep-alive', [['keep-alive', 'timeout=5']]],
  ['proxy-connection', [['proxy-connection', 'keep-alive']]],
  ['transfer-encoding', [['transfer-encoding', 'chunked']]],
  ['upgrade', [['upgrade', 'h2c']]],
  ['http2-settings', [['http2-settings', 'AAMAAABkAAQAAP__']]],
  ['content-length', [['content-length', '17']]],
  ['x:y', [['x:y', 'z']]],
  [
    'authorization',
    [
      ['authorization', 'Bearer one'],
      ['authorization', 'Bearer two'],
    ],
  ],
  ['x-large', [['x-large', 'v'.repeat(70_000)]]],
];

function metadataOf(entries: Entries): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [key, value] of entries) metadata.add(key, value);
  return metadata;
}

/** What the client says about each header: it fails alone, with its name. */
const refused = (name: string): object => ({
  code: grpc.status.INTERNAL,
  details: expect.stringMatching(new RegExp(`^client ECHO: .*"${name}"`)),
});

/**
 * Forty calls in flight on all servers, until the result is called: it answers them, and expects that each client has
 * kept its connections, and that no other call has reached a server.
 */
async function holdCalls(
  say: (i: number) => Promise<Line>,
  servers: readonly FleetBackend[],
  clients = 1,
): Promise<() => Promise<void>> {
  for (const server of servers) server.hang();
  const calls = Array.from({ length: 40 }, (_, i) => say(i));
  const arrived = (): number => servers.reduce((sum, server) => sum + server.calls, 0);
  await eventually(() => arrived() === 40 && servers.every(({ accepted }) => accepted === clients));
  return async () => {
    for (const server of servers) server.recover();
    await Promise.all(calls);
    expect(arrived()).toBe(40);
    expect(servers.map(({ accepted }) => accepted)).toEqual(servers.map(() => clients));
  };
}

function sayWith(
  client: BalancedClient,
  metadata: grpc.Metadata,
  options: grpc.CallOptions = {},
): Promise<grpc.ServiceError> {
  return new Promise((resolve, reject) => {
    client.echo.Say({ text: 'x' }, metadata, options, (error) =>
      error ? resolve(error) : reject(new Error('The call has succeeded')),
    );
  });
}

test('a call with a header that HTTP/2 forbids fails alone, with its name', async () => {
  const servers = await startBackends(4);
  const client = await new BalancedClient({ target: staticTarget(servers) }).ready(4);
  const release = await holdCalls(() => client.say(), servers);
  for (const [name, entries] of FORBIDDEN)
    expect(await sayWith(client, metadataOf(entries)), name).toMatchObject(refused(name));
  await release();
  expect(client.snapshot.endpoints.map(({ failed, failureRate }) => [failed, failureRate])).toEqual(
    servers.map(() => [0, 0]),
  );
  expect(client.events.filter(({ type }) => type === 'connection_closed')).toEqual([]);
});

test('so does one through a Nest stub, whether the application or an interceptor sets the header', async () => {
  const servers = await startBackends(4);
  let added: Entries = [];
  const adding: grpc.Interceptor = (options, next) =>
    new grpc.InterceptingCall(next(options), {
      start: (metadata, listener, start) => {
        for (const [key, value] of added) metadata.add(key, value);
        start(metadata, listener);
      },
    });
  const target = staticTarget(servers);
  const [plain, intercepted] = await Promise.all(
    [[], [adding]].map(async (interceptors) => {
      const app = await startApp(CLIENTS['the balanced client'](echoOptions(target, { interceptors })));
      return app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
    }),
  );
  const release = await holdCalls(
    (i) => firstValueFrom((i % 2 === 0 ? plain! : intercepted!).say({ text: 'x' })),
    servers,
    2,
  );
  for (const [name, entries] of FORBIDDEN) {
    const metadata = metadataOf(entries);
    expect(await errorOf(plain!.say({ text: 'x' }, metadata)), name).toMatchObject(refused(name));
    expect(await errorOf(plain!.repeat({ text: 'x', times: 2 }, metadata)), name).toMatchObject(refused(name));
    added = entries;
    expect(await errorOf(intercepted!.say({ text: 'x' })), name).toMatchObject(refused(name));
    added = [];
  }
  await release();
});

test('so does one whose call credentials add the header, or a second authorization', async () => {
  const servers = await startBackends(4);
  const client = await new BalancedClient({ target: staticTarget(servers), credentials: pretendedTls() }).ready(4);
  const release = await holdCalls(() => client.say(), servers);
  for (const [name, entries] of FORBIDDEN) {
    const credentials = grpc.credentials.createFromMetadataGenerator((_params, done) =>
      done(null, metadataOf(entries)),
    );
    expect(await sayWith(client, new grpc.Metadata(), { credentials }), name).toMatchObject(refused(name));
  }
  const token = grpc.credentials.createFromMetadataGenerator((_params, done) =>
    done(null, metadataOf([['authorization', 'Bearer one']])),
  );
  const two = metadataOf([['authorization', 'Bearer two']]);
  expect(await sayWith(client, two, { credentials: token })).toMatchObject(refused('authorization'));
  await release();
  expect(client.snapshot.inFlight).toBe(0);
});

/** Names that only HTTP/2 itself or grpc-js sets; it replaces the user's. */
const OWN = new Set(['te', 'user-agent', 'content-type', 'accept-encoding']);
const NAMES = Object.entries(http2.constants)
  .filter(([constant]) => constant.startsWith('HTTP2_HEADER_'))
  .map(([, name]) => String(name))
  .filter((name) => !name.startsWith(':') && !OWN.has(name));

test('of all headers that Node knows, with one value or two, each is sent or refused, and none ends a connection', async () => {
  const servers = await startBackends(1);
  const client = await new BalancedClient({ target: staticTarget(servers) }).ready(1);
  const names: Record<'once' | 'never', string[]> = { once: [], never: [] };
  for (const name of NAMES) {
    const one = metadataOf([[name, '1']]);
    const two = metadataOf([
      [name, '1'],
      [name, '2'],
    ]);
    const error = async (metadata: grpc.Metadata): Promise<grpc.ServiceError | undefined> =>
      sayWith(client, metadata).catch(() => undefined);
    const [first, second] = [await error(one), await error(two)];
    for (const failure of [first, second].filter((each) => each !== undefined))
      expect(failure).toMatchObject(refused(name));
    if (first) names.never.push(name);
    else if (second) names.once.push(name);
  }
  expect(servers[0]!.accepted).toBe(1);
  expect(names.never.toSorted()).toEqual([
    'connection',
    'content-length',
    'http2-settings',
    'keep-alive',
    'proxy-connection',
    'transfer-encoding',
    'upgrade',
  ]);
  expect(names.once).toContain('authorization');
  // Cookies, forwarded addresses and the like may be repeated.
  expect(names.once).not.toContain('cookie');
  expect(names.once).not.toContain('x-forwarded-for');
});

test('metadata is sent up to the size that Node sends', async () => {
  const servers = await startBackends(1);
  const client = await new BalancedClient({ target: staticTarget(servers) }).ready(1);
  const sizeOf = async (length: number): Promise<grpc.ServiceError | undefined> =>
    sayWith(client, metadataOf([['x-large', 'v'.repeat(length)]])).catch(() => undefined);
  // grpc-js's server reads as much as Node sends.
  let [sent, not] = [1024, 70_000];
  while (not - sent > 16) {
    const length = (sent + not) >> 1;
    const error = await sizeOf(length);
    for (const failure of error ? [error] : []) expect(failure).toMatchObject(refused('x-large'));
    if (error) not = length;
    else sent = length;
  }
  expect(sent).toBeGreaterThan(62 * 1024);
  expect(servers[0]!.accepted).toBe(1);
});
