import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type ClientReadableStream,
  credentials,
  makeGenericClientConstructor,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { GrpcLbArgumentError, GrpcLbOptionsError } from 'nestjs-grpc-lb';
import { resumingClient } from 'nestjs-grpc-lb/streams';
import { expect, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { Echo, type Line } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { startConversation } from '../../support/streams/conversation.js';
import { startFeed } from '../../support/streams/feed.js';
import { feedTarget, upTo } from '../../support/streams/subscriber.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

type EchoClient = BalancedClient['echo'];

const REPEAT = {
  method: 'Repeat',
  token: ({ text }: Line) => text,
  resume: (request: Partial<Line>, token: string) => ({ ...request, text: token }),
  initialBackoff: 5,
  maxBackoff: 50,
} as const;

const TALK = {
  method: 'Talk',
  token: ({ times }: Line) => times,
  resume: (hello: Partial<Line>, token: number) => ({ ...hello, times: token }),
  initialBackoff: 5,
  maxBackoff: 50,
  replay: {
    key: ({ text }: Partial<Line>) => (text === 'hello' ? undefined : text),
    acknowledged: ({ text }: Line) => text,
  },
} as const;

async function clientOf(servers: readonly { readonly address: string }[]): Promise<[EchoClient, BalancedClient]> {
  const bare = new BalancedClient({ target: feedTarget(servers as never) });
  bare.balanced.connect();
  await eventually(() => bare.snapshot.endpoints.filter(({ state }) => state === 'ready').length === servers.length);
  return [resumingClient<EchoClient>(bare.echo, [REPEAT, TALK]), bare];
}

/** What a stream of grpc-js tells. */
function watched(stream: ClientReadableStream<Line>) {
  const seen = {
    lines: [] as Line[],
    ended: false,
    error: undefined as ServiceError | undefined,
    statuses: [] as number[],
  };
  stream.on('data', (line: Line) => void seen.lines.push(line));
  stream.on('end', () => (seen.ended = true));
  stream.on('error', (error: ServiceError) => (seen.error = error));
  stream.on('status', ({ code }) => void seen.statuses.push(code));
  return seen;
}

test('a stream of a client of grpc-js resumes at another server, and moves before one drains', async () => {
  const { feed, servers } = await startFeed(3);
  const [echo, bare] = await clientOf(servers);
  let headers = 0;
  const stream = echo.Repeat({ text: '' });
  stream.on('metadata', () => headers++);
  const seen = watched(stream);
  feed.append();
  await eventually(() => seen.lines.length === 1);
  const first = servers.find(({ address }) => address === seen.lines[0]!.server)!;
  expect(stream.getPeer()).toBe(first.address);
  await first.kill();
  feed.append();
  await eventually(() => seen.lines.length === 2);
  const second = servers.find(({ address }) => address === seen.lines[1]!.server)!;
  bare.balanced.endpointActions.drain(second.address);
  await eventually(() => second.streams.size === 0);
  feed.append();
  await eventually(() => seen.lines.length === 3);
  expect(seen.lines.map(({ times }) => times)).toEqual(upTo(3));
  expect(bare.snapshot.totals).toMatchObject({ streamMoves: { removed: 1 }, streamsResumed: 1 });
  expect(headers).toBeGreaterThanOrEqual(2);
  stream.cancel();
  await eventually(() => seen.error !== undefined);
  expect(seen.error).toMatchObject({ code: status.CANCELLED });
  expect(seen.statuses).toEqual([status.CANCELLED]);
  await eventually(() => servers.every(({ streams }) => streams.size === 0));
});

test('for await stops the server by backpressure', async () => {
  const { feed, servers } = await startFeed(1);
  const [echo] = await clientOf(servers);
  feed.append(50_000);
  const numbers: number[] = [];
  let sentAtFirst = 0;
  for await (const { times } of echo.Repeat({ text: '' }) as AsyncIterable<Line>) {
    if (numbers.push(times) === 50_000) break;
    if (times !== 1) continue;
    await eventually(() => servers[0]!.blocked > 0);
    sentAtFirst = servers[0]!.sent;
  }
  expect(sentAtFirst).toBeLessThan(50_000);
  expect(numbers).toEqual(upTo(50_000));
});

test('what has come before an error is read first, then the error', async () => {
  const { feed, servers } = await startFeed(1);
  const [echo] = await clientOf(servers);
  const stream = echo.Repeat({ text: '' });
  const codes: number[] = [];
  stream.on('status', ({ code }) => void codes.push(code));
  feed.append(5);
  const numbers: number[] = [];
  const read = async (): Promise<void> => {
    for await (const { times } of stream as AsyncIterable<Line>) {
      numbers.push(times);
      await eventually(() => stream.readableLength === 4 || numbers.length > 1);
      if (times === 1) servers[0]!.endStreams({ code: status.NOT_FOUND });
      await eventually(() => codes.length === 1);
    }
  };
  await expect(read()).rejects.toMatchObject({ code: status.NOT_FOUND });
  expect(numbers).toEqual(upTo(5));
});

test('leaving the loop cancels the stream', async () => {
  const { feed, servers } = await startFeed(1);
  const [echo] = await clientOf(servers);
  feed.append(3);
  for await (const { times } of echo.Repeat({ text: '' }) as AsyncIterable<Line>) if (times === 2) break;
  await eventually(() => servers[0]!.streams.size === 0);
});

test('a bidirectional stream replays what is not acknowledged, and ends with OK', async () => {
  const { conversation, servers } = await startConversation(2);
  const [echo] = await clientOf(servers);
  const stream = echo.Talk();
  const seen = watched(stream);
  stream.write({ text: 'hello', times: 0 });
  for (let i = 1; i <= 20; i++) stream.write({ text: String(i) });
  await eventually(() => seen.lines.length === 20);
  conversation.acknowledges = false;
  for (let i = 21; i <= 40; i++) stream.write({ text: String(i) });
  await eventually(() => conversation.log.length === 40);
  for (const server of servers) server.cut();
  conversation.acknowledges = true;
  await eventually(() => seen.lines.length === 40);
  stream.end();
  await eventually(() => seen.ended);
  expect(conversation.log).toEqual(upTo(40).map(String));
  expect(seen.lines.map(({ times }) => times)).toEqual(upTo(40));
  expect(conversation.repeated).toBeGreaterThan(0);
  expect([seen.statuses, seen.error]).toEqual([[status.OK], undefined]);
});

test('metadata, options and the other methods are those of the client', async () => {
  const { servers } = await startFeed(1);
  const [echo, bare] = await clientOf(servers);
  expect(echo.Say).toBe(bare.echo.Say);
  expect(echo.getChannel()).toBe(bare.balanced);
  const metadata = new Metadata();
  metadata.set('x-tenant', 'a');
  const withOptions = echo.Repeat as unknown as (...args: unknown[]) => ClientReadableStream<Line>;
  const seen = watched(withOptions.call(echo, { text: '' }, metadata, { deadline: Date.now() + 300 }));
  await eventually(() => servers[0]!.begun === 1);
  const [call] = servers[0]!.streams;
  expect(call!.call.metadata.get('x-tenant')).toEqual(['a']);
  await eventually(() => seen.error !== undefined);
  expect([seen.error!.code, seen.statuses]).toEqual([status.DEADLINE_EXCEEDED, [status.DEADLINE_EXCEEDED]]);
});

test('a stream whose server is lost after the channel was closed ends with a status', async () => {
  const { feed, servers } = await startFeed(1);
  const [echo, bare] = await clientOf(servers);
  const seen = watched(echo.Repeat({ text: '' }));
  feed.append();
  await eventually(() => seen.lines.length === 1);
  bare.balanced.close();
  await servers[0]!.kill();
  await eventually(() => seen.error !== undefined);
  expect(seen.error).toMatchObject({ code: status.CANCELLED });
  expect(seen.error!.details).toBe('client ECHO, echo.v1.Echo/Repeat: the client is closed');
  expect(seen.statuses).toEqual([status.CANCELLED]);
});

test('a service may have a method GetChannel', async () => {
  const { feed, servers } = await startFeed(1);
  const [, bare] = await clientOf(servers);
  const { Say, Repeat } = (bare.echo.constructor as unknown as ServiceClientConstructor).service;
  const GetChannel = { ...Say!, originalName: 'getChannel' };
  const Service = makeGenericClientConstructor({ GetChannel, Repeat: Repeat! }, 'echo.v1.Echo');
  const plain = new Service('', credentials.createInsecure(), { channelOverride: bare.balanced });
  const echo = resumingClient<EchoClient>(plain as unknown as EchoClient, [REPEAT]);
  const seen = watched(echo.Repeat({ text: '' }));
  feed.append();
  await eventually(() => seen.lines.length === 1);
  bare.balanced.close();
  await servers[0]!.kill();
  await eventually(() => seen.error !== undefined);
  expect(seen.error!.details).toBe('client ECHO, echo.v1.Echo/Repeat: the client is closed');
});

test('a client on another channel, of no service, or with wrong methods is an error that says what to do', async () => {
  const { servers } = await startFeed(1);
  const [, bare] = await clientOf(servers);
  const other = new Echo(servers[0]!.address, credentials.createInsecure()) as unknown as EchoClient;
  expect(() => resumingClient<EchoClient>(other, [])).toThrow(GrpcLbArgumentError);
  expect(() => resumingClient<EchoClient>(other, [])).toThrow('pass that channel as its channelOverride');
  other.close();
  const anonymous = Object.create(Object.prototype, { getChannel: { value: () => bare.balanced } }) as EchoClient;
  expect(() => resumingClient(anonymous, [])).toThrow('client does not know its service');
  const wrong = [{ ...REPEAT, method: 'Repat' }] as never;
  expect(() => resumingClient<EchoClient>(bare.echo, wrong)).toThrow(GrpcLbOptionsError);
  expect(() => resumingClient<EchoClient>(bare.echo, wrong)).toThrow('did you mean "Repeat"');
});

test('the entry loads nothing of Nest', () => {
  const root = join(import.meta.dirname, '../../../libs/grpc-lb/src/streams/index.ts');
  const seen = new Set<string>();
  const packages = new Set<string>();
  const walk = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const code = readFileSync(file, 'utf8').replaceAll(/(import|export) type [^;]*;/g, '');
    for (const [, path = ''] of code.matchAll(/(?:from|import) '([^']+)'/g)) {
      if (path.startsWith('.')) walk(join(dirname(file), path.replace(/\.js$/, '.ts')));
      else packages.add(path);
    }
  };
  walk(root);
  expect([...packages].filter((name) => !name.startsWith('node:')).toSorted()).toEqual(['@grpc/grpc-js', 'rxjs']);
});
