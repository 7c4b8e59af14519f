import { AsyncLocalStorage } from 'node:async_hooks';
import * as grpc from '@grpc/grpc-js';
import type { GrpcServerOptions, ObservedServerEnd, ServerCallObserver } from 'nestjs-grpc-lb/server';
import { of } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { call as send, type Kind, type Result } from '../../support/calls/call.js';
import type { Line } from '../../support/echo/cluster.js';
import { HealthWatch } from '../../support/peers/health-watch.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, type EchoClient, failureOf, say, startEcho } from '../../support/server/app.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const insecure = grpc.credentials.createInsecure();

interface Told {
  readonly method: string;
  end: ObservedServerEnd | undefined;
}

function recorder(): { observer: ServerCallObserver; told: Told[] } {
  const told: Told[] = [];
  const observer: ServerCallObserver = {
    callStarted: ({ method }) => {
      const call: Told = { method, end: undefined };
      told.push(call);
      return { ended: (end) => (call.end = end) };
    },
  };
  return { observer, told };
}

async function observed(options: GrpcServerOptions = {}) {
  const { observer, told } = recorder();
  const echo = await startEcho({ ...options, observer });
  return { ...echo, told, client: echoClient(echo.address, insecure) };
}

function repeated(client: EchoClient, text = 'x'): Promise<string[]> {
  const stream = client.repeat({ text });
  const texts: string[] = [];
  return new Promise((resolve, reject) => {
    stream.on('data', (line: { text: string }) => texts.push(line.text));
    stream.on('error', reject);
    stream.on('end', () => resolve(texts));
  });
}

test('it is told of each call with its end and its bytes: unary, and streams', async () => {
  const { told, client, handlers } = await observed();
  handlers.repeat = () => of({ text: 'aa' }, { text: 'bbbb' });
  await say(client, 'hello');
  await repeated(client);
  const talk = client.talk();
  for (const text of ['one', 'three']) talk.write({ text });
  talk.end();
  await new Promise((resolve) => talk.on('data', () => {}).on('end', resolve));
  // A field of a text has two bytes beside it; what is echoed also has the two other fields, empty.
  const end = (receivedBytes: number, sentBytes: number) => ({ code: 0, details: 'OK', receivedBytes, sentBytes });
  expect(told).toEqual([
    { method: '/echo.v1.Echo/Say', end: end(7, 7 + 4) },
    { method: '/echo.v1.Echo/Repeat', end: end(3, 4 + 6) },
    { method: '/echo.v1.Echo/Talk', end: end(5 + 7, 5 + 7 + 8) },
  ]);
});

test('what a client compresses counts as it is on the wire', async () => {
  const { told, address } = await observed();
  const client = echoClient(address, insecure, { 'grpc.default_compression_algorithm': 2 });
  await say(client, 'x'.repeat(100_000));
  expect(told[0]!.end!.receivedBytes).toBeLessThan(1000);
  expect(told[0]!.end!.receivedBytes).toBeGreaterThan(50);
  expect(told[0]!.end!.sentBytes).toBe(100_008);
});

test('it sees the metadata, the authority and the peer of a call', async () => {
  const { observer, told } = recorder();
  const seen: unknown[] = [];
  const { address, server } = await startEcho({ observer });
  const remove = server.observe({
    callStarted: ({ metadata, authority, peer, instrumented }) => {
      seen.push([metadata.get('tenant'), authority, /^127\.0\.0\.1:\d+$/.test(peer), instrumented]);
      return undefined;
    },
  });
  const client = echoClient(address, insecure, { 'grpc.default_authority': 'echo.shop' });
  const metadata = new grpc.Metadata();
  metadata.set('tenant', 'seven');
  const call = (): Promise<unknown> =>
    new Promise((resolve) =>
      client.makeUnaryRequest('/echo.v1.Echo/Say', () => Buffer.alloc(0), String, {}, metadata, resolve),
    );
  await call();
  remove();
  await call();
  expect(seen).toEqual([[['seven'], 'echo.shop', true, false]]);
  expect(told).toHaveLength(2);
});

test('a cancellation, a deadline, a handler that throws, and a drain', async () => {
  const { told, client, handlers, close } = await observed({ drain: { delay: 0, streamGrace: 0 } });
  handlers.say = () => new Promise(() => {});
  const ends = (): unknown[] => told.map(({ end }) => end && grpc.status[end.code]);
  const stream = client.repeat({ text: 'x' });
  const failed = new Promise((resolve) => stream.once('error', resolve));
  await eventually(() => told.length === 1);
  stream.cancel();
  await failed;
  await eventually(() => ends()[0] === 'CANCELLED');
  await failureOf(say(client, 'x', 50));
  await eventually(() => ends()[1] === 'DEADLINE_EXCEEDED');
  handlers.say = () => {
    throw new Error('no');
  };
  await failureOf(say(client));
  expect(ends()[2]).toBe('UNKNOWN');
  const last = client.repeat({ text: 'x' });
  const cut = new Promise<grpc.ServiceError>((resolve) => last.once('error', resolve as (error: Error) => void));
  await eventually(() => told.length === 4);
  await close();
  expect(ends()[3]).toBe(grpc.status[(await cut).code]);
  expect(told[3]!.end!.details).toBe((await cut).details);
});

describe('a call that grpc-js ends by itself', () => {
  async function limited() {
    const { observer, told } = recorder();
    const channelOptions = { 'grpc.max_send_message_length': 1000, 'grpc.max_receive_message_length': 2000 };
    const echo = await startEcho({ observer }, { channelOptions });
    const client = echoClient(echo.address, insecure);
    /** More in a row than chance explains; returns what the caller and the observer were told of the last one. */
    const repeat = async (kind: Kind, request: Buffer | string): Promise<unknown[]> => {
      let result: Result | undefined;
      for (let i = 0; i < 25; i++) result = await send(client, kind, { requests: [request] });
      await eventually(() => told.every(({ end }) => end !== undefined));
      const { code, details } = told.at(-1)!.end!;
      expect([grpc.status[code], details]).toEqual([grpc.status[result!.code], result!.details]);
      return [grpc.status[code], echo.server.load().failuresInARow];
    };
    return { ...echo, repeat };
  }

  test.each([
    ['cannot be decoded', Buffer.from([0xff, 0xff, 0xff]), 'INTERNAL'],
    ['is too large', 'x'.repeat(3000), 'RESOURCE_EXHAUSTED'],
  ])(
    'because its request %s has the status that is sent, and is no failure of the server',
    async (_, request, code) => {
      const { repeat } = await limited();
      expect(await repeat('unary', request)).toEqual([code, 0]);
    },
  );

  test.each<[string, Partial<Line> | null, string]>([
    ['cannot be encoded', null, 'INTERNAL'],
    ['is too large', { text: 'x'.repeat(1500) }, 'RESOURCE_EXHAUSTED'],
  ])('because its response %s is a failure of the server', async (_, response, code) => {
    const { repeat, handlers } = await limited();
    handlers.say = () => response as Partial<Line>;
    expect(await repeat('unary', '')).toEqual([code, 25]);
  });

  test('because a message of its stream is too large is a failure of the server', async () => {
    const { repeat, handlers } = await limited();
    handlers.repeat = () => of({ text: 'first' }, { text: 'x'.repeat(1500) });
    expect(await repeat('server streaming', '')).toEqual(['RESOURCE_EXHAUSTED', 25]);
  });
});

test('health is exempt', async () => {
  const { told, address } = await observed();
  expect(await new HealthWatch(address, '').next()).toBe('SERVING');
  expect(told).toEqual([]);
});

test('the handler runs where the observer runs it, also for messages that come later', async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const observer: ServerCallObserver = {
    callStarted: ({ metadata }) => {
      const caller = String(metadata.get('caller')[0]);
      return { run: (action) => storage.run(caller, action) };
    },
  };
  const { address, handlers, server } = await startEcho({ observer });
  // A second one runs inside the first.
  server.observe({ callStarted: () => ({ run: (action) => storage.run(`${storage.getStore()}!`, action) }) });
  handlers.say = async (line) => {
    await new Promise(setImmediate);
    seen.push(storage.getStore());
    return line;
  };
  const client = echoClient(address, insecure);
  const calls = ['a', 'b', 'c'].map((caller) => {
    const metadata = new grpc.Metadata();
    metadata.set('caller', caller);
    return new Promise((resolve) =>
      client.makeUnaryRequest('/echo.v1.Echo/Say', () => Buffer.alloc(0), String, {}, metadata, resolve),
    );
  });
  await Promise.all(calls);
  expect(new Set(seen)).toEqual(new Set(['a!', 'b!', 'c!']));
});

test('an observer that fails does no harm to the call, and is reported once', async () => {
  const warnings: string[] = [];
  const listener = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', listener);
  onTestFinished(() => void process.off('warning', listener));
  const fail = (): never => {
    throw new Error('no\u001Broom');
  };
  const { address, server, handlers } = await startEcho({ observer: { callStarted: fail } });
  server.observe({ callStarted: () => ({ run: fail, ended: fail }) });
  server.observe({ callStarted: () => ({ run: () => {} }) });
  const client = echoClient(address, insecure);
  expect(await say(client, 'one')).toMatchObject({ text: 'one' });
  expect(await say(client, 'two')).toMatchObject({ text: 'two' });
  let runs = 0;
  handlers.say = (line) => {
    runs++;
    return line;
  };
  server.observe({
    callStarted: () => ({
      run: (action) => {
        action();
        action();
      },
    }),
  });
  await say(client, 'three');
  expect(runs).toBe(1);
  await eventually(() => warnings.length > 1);
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toMatch(/^An observer of the server failed: no.*room; its further errors are not reported$/);
});
