import type { ServerHttp2Stream } from 'node:http2';
import { gzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import { expect, test } from 'vitest';
import type { ClientSnapshot } from '../../../libs/grpc-lb/src/core/snapshot.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { answerBy, startBackends } from '../../support/echo/backends.js';
import { Echo } from '../../support/echo/cluster.js';
import { type GrpcLbClientHandle } from '../../../libs/grpc-lb/src/nest/client-handle.js';
import { CLIENTS, echoOptions, type EchoStub, errorOf, startApp } from '../../support/nest/app.js';
import { answer, frameOf, startRawServers } from '../../support/peers/raw-server.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

const CALLS = 100;
const LIMIT = 1000;
const LARGE = 'x'.repeat(2 * LIMIT);
/** Ejects at the first chance. */
const loadBalancing = { ejection: { consecutiveFailures: 1, minimumCalls: 1 } };

const { Say } = Echo.service as unknown as Record<string, grpc.MethodDefinition<object, object>>;
const asText = (): never => {
  throw new Error('no message of mine');
};

/** What a call of a grpc-js client does, and the error that it gets. */
const REQUESTS = {
  'a request over maxSendMessageLength': {
    say: [{ text: LARGE }, Say!.requestSerialize, Say!.responseDeserialize],
    error: [grpc.status.RESOURCE_EXHAUSTED, /Attempted to send message with a size larger than 1000/],
  },
  'a response over maxReceiveMessageLength': {
    say: [{ text: 'large' }, Say!.requestSerialize, Say!.responseDeserialize],
    error: [grpc.status.RESOURCE_EXHAUSTED, /Received message larger than max \(\d+ vs 1000\)/],
  },
  'a response that is over it when it is decompressed': {
    say: [{ text: 'compressed' }, Say!.requestSerialize, Say!.responseDeserialize],
    error: [grpc.status.RESOURCE_EXHAUSTED, /Received message that decompresses to a size larger than 1000/],
  },
  'a serializer that throws': {
    say: [{}, asText, Say!.responseDeserialize],
    error: [grpc.status.INTERNAL, /Request message serialization failure: no message of mine/],
  },
  'a deserializer that throws': {
    say: [{ text: 'small' }, Say!.requestSerialize, asText],
    error: [grpc.status.INTERNAL, /Response message parsing error: no message of mine/],
  },
} as const;

function expectNothingLearned({ endpoints, inFlight }: ClientSnapshot, events: readonly { type: string }[] = []): void {
  expect(endpoints.map(({ state, failureRate }) => ({ state, failureRate }))).toEqual(
    endpoints.map(() => ({ state: 'ready', failureRate: 0 })),
  );
  expect(events.filter(({ type }) => type === 'connection_closed')).toEqual([]);
  expect(inFlight).toBe(0);
}

interface Server {
  readonly address: string;
}

/** Servers that answer with too much, if they are asked to. */
async function serversFor(text: string | undefined): Promise<readonly Server[]> {
  if (text === 'compressed') {
    const servers = await startRawServers(4);
    for (const server of servers) server.onCall = answerCompressed;
    return servers;
  }
  const servers = await startBackends(4);
  for (const server of servers) answerBy(server, (line) => (line.text === 'large' ? { text: LARGE } : {}));
  return servers;
}

/** grpc-js's server does not compress. */
function answerCompressed(stream: ServerHttp2Stream): void {
  const frame = frameOf(gzipSync(Say!.responseSerialize({ text: LARGE })));
  frame[0] = 1;
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' },
    { waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(frame);
}

function targetOf(servers: readonly Server[]): string {
  return `static:///${servers.map(({ address }) => address).join(',')}`;
}

test.each(Object.entries(REQUESTS))('%s teaches nothing about the endpoint', async (_, { say, error }) => {
  const [request, serialize, deserialize] = say;
  const servers = await serversFor('text' in request ? request.text : undefined);
  const client = await new BalancedClient({
    target: targetOf(servers),
    loadBalancing,
    channelOptions: { 'grpc.max_send_message_length': LIMIT, 'grpc.max_receive_message_length': LIMIT },
  }).ready(4);
  const call = (): Promise<grpc.ServiceError> =>
    new Promise((resolve, reject) => {
      client.mirror.makeUnaryRequest(Say!.path, serialize, deserialize, request, (failure) =>
        failure ? resolve(failure) : reject(new Error('The call has succeeded')),
      );
    });
  const stream = (): Promise<grpc.ServiceError> =>
    new Promise((resolve) => {
      const { path } = Say!;
      client.mirror
        .makeServerStreamRequest(path, serialize, deserialize, request)
        .on('data', () => {})
        .on('error', resolve);
    });
  const [code, details] = error;
  for (let i = 0; i < CALLS; i++) {
    expect(await (i % 2 === 0 ? call() : stream())).toMatchObject({ code, details: expect.stringMatching(details) });
  }
  expectNothingLearned(client.snapshot, client.events);
});

test.each([
  ['a request that is too large', () => ({ text: LARGE }), grpc.status.RESOURCE_EXHAUSTED],
  ['a request that cannot be serialized', () => ({ times: Symbol('no number') as never }), grpc.status.INTERNAL],
  ['a response that is too large', () => ({ text: 'large' }), grpc.status.RESOURCE_EXHAUSTED],
  ['one that is, when it is decompressed', () => ({ text: 'compressed' }), grpc.status.RESOURCE_EXHAUSTED],
] as const)('through a Nest stub: %s teaches nothing either', async (_, request, code) => {
  const servers = await serversFor((request() as { text?: string }).text);
  const options = echoOptions(targetOf(servers), {
    loadBalancing,
    maxSendMessageLength: LIMIT,
    maxReceiveMessageLength: LIMIT,
  });
  const app = await startApp(CLIENTS['the balanced client'](options));
  const handle = app.get<GrpcLbClientHandle & ClientGrpc>('ECHO');
  const echo = handle.getService<EchoStub>('Echo');
  for (let i = 0; i < CALLS; i++) expect(await errorOf(echo.say(request()))).toMatchObject({ code });
  await expect.poll(() => handle.snapshot().endpoints.map(({ state }) => state)).toEqual(servers.map(() => 'ready'));
  expectNothingLearned(handle.snapshot());
});

test('a response that cannot be read teaches nothing either', async () => {
  const servers = await startRawServers(4);
  // Protocol Buffers has no wire type 7.
  for (const server of servers) server.onCall = (stream) => answer(stream, Buffer.from([0x0f]));
  const app = await startApp(CLIENTS['the balanced client'](echoOptions(targetOf(servers), { loadBalancing })));
  const handle = app.get<GrpcLbClientHandle & ClientGrpc>('ECHO');
  const echo = handle.getService<EchoStub>('Echo');
  for (let i = 0; i < CALLS; i++) {
    expect(await errorOf(echo.say({}))).toMatchObject({
      code: grpc.status.INTERNAL,
      details: expect.stringMatching(/^Response message parsing error/),
    });
  }
  await expect.poll(() => handle.snapshot().endpoints.map(({ state }) => state)).toEqual(servers.map(() => 'ready'));
  expectNothingLearned(handle.snapshot());
});

test('the same errors of a backend do teach', async () => {
  const servers = await startBackends(4);
  const failure = { code: grpc.status.RESOURCE_EXHAUSTED, details: 'Received message larger than max (2000 vs 1000)' };
  answerBy(servers[0]!, () => Promise.reject(Object.assign(new Error(failure.details), failure)));
  const client = await new BalancedClient({ target: targetOf(servers), loadBalancing }).ready(4);
  while (servers[0]!.calls === 0) await client.say().catch(() => {});
  await client.until(() => client.states[servers[0]!.address] === 'ejected');
});
