import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall, GrpcStreamMethod } from '@nestjs/microservices';
import {
  type GrpcServerOptions,
  MaxStreamAge,
  type ObservedServerEnd,
  STREAM_END_KEY,
  STREAM_MAX_AGE_KEY,
} from 'nestjs-grpc-lb/server';
import { concat, finalize, NEVER, type Observable, of } from 'rxjs';
import { expect, test, vi } from 'vitest';
import type { Line } from '../../support/echo/cluster.js';
import { HealthWatch } from '../../support/peers/health-watch.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, type EchoClient, say, startEcho } from '../../support/server/app.js';
import { eventually } from '../../support/time/patience.js';
import { holdTime } from '../../support/time/virtual-time.js';

expectNoLeaks();

const clientOf = (address: string): EchoClient => echoClient(address, grpc.credentials.createInsecure());

type Stream = Pick<grpc.ClientReadableStream<Line>, 'on'>;

const endOf = (stream: Stream): Promise<grpc.ServiceError> =>
  new Promise((resolve) => stream.on('error', (error) => resolve(error as grpc.ServiceError)));

const headersOf = (stream: Stream): Promise<grpc.Metadata> => new Promise((resolve) => stream.on('metadata', resolve));

/** A server whose streams are endless, with one message each; and how many handlers are subscribed. */
async function startEndless(options: GrpcServerOptions) {
  const ends: ObservedServerEnd[] = [];
  const observer = { callStarted: () => ({ ended: (end: ObservedServerEnd) => void ends.push(end) }) };
  const backend = await startEcho({ ...options, observer });
  const running = { handlers: 0 };
  const lines = (): Observable<Partial<Line>> => {
    running.handlers++;
    return concat(of({ text: 'first' }), NEVER).pipe(finalize(() => running.handlers--));
  };
  Object.assign(backend.handlers, { repeat: lines, talk: lines, join: lines });
  return { ...backend, client: clientOf(backend.address), running, ends };
}

/** A call of a method with a stream of requests and one answer. */
function join(client: EchoClient): Promise<grpc.ServiceError> {
  return new Promise((resolve) => client.join((error) => resolve(error!)).write({ text: 'hello' }));
}

test('a drain ends streams of responses with UNAVAILABLE and the reason, and unsubscribes their handlers', async () => {
  const { client, close, running, ends, server } = await startEndless({ drain: { streamGrace: 0 } });
  const [repeat, talk] = [client.repeat({}), client.talk()];
  talk.write({ text: 'hello' });
  await Promise.all([once(repeat, 'data'), once(talk, 'data')]);
  const closed = close();
  for (const end of await Promise.all([endOf(repeat), endOf(talk)])) {
    expect(end).toMatchObject({
      code: grpc.status.UNAVAILABLE,
      details: expect.stringContaining('open the stream again'),
    });
    expect(end.metadata.get(STREAM_END_KEY)).toEqual(['drain']);
  }
  await closed;
  expect(running.handlers).toBe(0);
  expect(ends.map(({ code, streamEnd }) => [code, streamEnd])).toEqual([
    [grpc.status.UNAVAILABLE, 'drain'],
    [grpc.status.UNAVAILABLE, 'drain'],
  ]);
  expect(await server.drain()).toMatchObject({ finished: 0, streamsLeft: 0, streamsMoved: 2, cut: 0 });
});

test('a stream of requests has all the time of the drain, and ends in the same way', async () => {
  const drain = { streamGrace: 0, streamSpread: 100, timeout: 1000 };
  const { client, close, running, server } = await startEndless({ drain });
  const uploads = [join(client), join(client)];
  const repeat = client.repeat({});
  await eventually(() => running.handlers === 3);
  let ended = 0;
  for (const upload of uploads) void upload.then(() => ended++);
  holdTime();
  const closed = close();
  await eventually(() => server.draining);
  const moved = endOf(repeat);
  await vi.advanceTimersByTimeAsync(799);
  await moved;
  expect([ended, running.handlers]).toEqual([0, 2]);
  // The last tenth of a second is to write what the streams end with.
  await vi.advanceTimersByTimeAsync(100);
  for (const { code, metadata } of await Promise.all(uploads)) {
    expect(code).toBe(grpc.status.UNAVAILABLE);
    expect(metadata.get(STREAM_END_KEY)).toEqual(['drain']);
  }
  await closed;
  expect(running.handlers).toBe(0);
  expect(await server.drain()).toMatchObject({ streamsMoved: 3, cut: 0 });
});

test('streams that do not move end one after the other; those whose clients have moved are counted', async () => {
  const { client, close, server, ends: told } = await startEndless({ drain: { streamGrace: 200 } });
  const streams = Array.from({ length: 40 }, () => client.repeat({}));
  await Promise.all(streams.map((stream) => once(stream, 'data')));
  const order: number[] = [];
  const ends = streams.map(async (stream, i) => {
    const { code } = await endOf(stream);
    order.push(i);
    return code;
  });
  holdTime();
  const closed = close();
  await eventually(() => server.draining);
  await vi.advanceTimersByTimeAsync(199);
  expect(server.drainSignal.aborted).toBe(true);
  for (const stream of streams.slice(0, 10)) stream.cancel();
  await eventually(() => told.length === 10);
  // 30 of them take 10 ms each; each ends within its own part of that time, whose last moment it is after each step.
  for (let count = 1; count <= 30; count++) {
    await vi.advanceTimersByTimeAsync(10);
    expect(told).toHaveLength(10 + count);
  }
  const codes = await Promise.all(ends);
  await closed;
  expect(codes.slice(0, 10).every((code) => code === grpc.status.CANCELLED)).toBe(true);
  expect(codes.slice(10).every((code) => code === grpc.status.UNAVAILABLE)).toBe(true);
  expect(order.slice(10)).not.toEqual(order.slice(10).toSorted((a, b) => a - b));
  expect(await server.drain()).toMatchObject({ streamsLeft: 10, streamsMoved: 30, cut: 0 });
});

test('a watch that comes while the server drains is told NOT_SERVING, and ends with UNAVAILABLE', async () => {
  const { address, close, server } = await startEcho({ drain: { delay: 300 } });
  const before = new HealthWatch(address, '');
  expect(await before.next()).toBe('SERVING');
  holdTime();
  const closed = close();
  expect(await before.next()).toBe('NOT_SERVING');
  const during = new HealthWatch(address, 'echo.v1.Echo');
  expect(await during.next()).toBe('NOT_SERVING');
  expect(server.drainSignal.aborted).toBe(false);
  vi.advanceTimersByTime(300);
  for (const { code, metadata } of await Promise.all([before.end, during.end])) {
    expect(code).toBe(grpc.status.UNAVAILABLE);
    expect(metadata.get(STREAM_END_KEY)).toEqual([]);
  }
  await closed;
});

test('streams of all kinds end at their maximum age, which does not count as a failure of the server; other calls go on', async () => {
  const { client, running, ends, server, handlers } = await startEndless({ maxStreamAge: { default: 1000, grace: 0 } });
  const [repeat, talk, upload] = [client.repeat({}), client.talk(), join(client)];
  const all = Promise.all([endOf(repeat), endOf(talk), upload]);
  talk.write({ text: 'hello' });
  const headers = await Promise.all([headersOf(repeat), headersOf(talk)]);
  for (const announced of headers) {
    const [age] = announced.get(STREAM_MAX_AGE_KEY);
    expect(Number(age)).toBeGreaterThanOrEqual(900);
    expect(Number(age)).toBeLessThanOrEqual(1100);
  }
  let answer: (() => void) | undefined;
  handlers.say = (line) => new Promise((resolve) => (answer = () => resolve(line)));
  const unary = say(client, 'slow');
  for (const end of await all) {
    expect(end).toMatchObject({ code: grpc.status.UNAVAILABLE, details: expect.stringContaining('maximum age') });
    expect(end.metadata.get(STREAM_END_KEY)).toEqual(['max_age']);
  }
  await eventually(() => running.handlers === 0 && answer !== undefined);
  expect(ends.map(({ streamEnd }) => streamEnd)).toEqual(['max_age', 'max_age', 'max_age']);
  expect(server.load()).toMatchObject({ errorsPerSecond: 0, inFlight: 1 });
  answer!();
  expect((await unary).text).toBe('slow');
});

test('a stream without a message has the reason in its only headers', async () => {
  const { handlers, client } = await startEndless({ maxStreamAge: { default: 1000, grace: 0 } });
  handlers.repeat = () => NEVER;
  const stream = client.repeat({});
  const end = await endOf(stream);
  expect(end.code).toBe(grpc.status.UNAVAILABLE);
  expect(end.metadata.get(STREAM_END_KEY)).toEqual(['max_age']);
});

test('a client that does not read its stream keeps neither the handler nor the stream beyond the maximum age', async () => {
  const { handlers, client, running, server } = await startEndless({ maxStreamAge: { default: 1000, grace: 0 } });
  const lines = Array.from({ length: 400 }, () => ({ text: 'x'.repeat(50_000) }));
  handlers.repeat = () => {
    running.handlers++;
    return concat(of(...lines), NEVER).pipe(finalize(() => running.handlers--));
  };
  const stream = client.repeat({});
  const end = endOf(stream);
  stream.on('data', () => {});
  await once(stream, 'data');
  stream.pause();
  await eventually(() => running.handlers === 0);
  expect(server.load().inFlight).toBe(0);
  stream.resume();
  // What had been sent arrives, and then the end, or the reset.
  expect([grpc.status.UNAVAILABLE, grpc.status.CANCELLED]).toContain((await end).code);
});

test('decorators set the age of single methods; a handler that takes the call is canceled once', async () => {
  const seen: string[] = [];
  @Controller()
  class EchoController {
    @GrpcMethod('Echo', 'Repeat')
    @MaxStreamAge(1000)
    repeat(_line: Line, _metadata: grpc.Metadata, call: grpc.ServerWritableStream<Line, Line>): Observable<object> {
      const metadata = new grpc.Metadata();
      metadata.set('own', 'header');
      call.sendMetadata(metadata);
      return NEVER;
    }

    @MaxStreamAge(1000)
    @GrpcStreamMethod('Echo', 'Join')
    join(lines: Observable<Line>): Observable<Line> {
      lines.subscribe({ complete: () => seen.push('join completed') });
      return NEVER;
    }

    @MaxStreamAge(1000)
    @GrpcStreamCall('Echo', 'Talk')
    talk(call: grpc.ServerDuplexStream<Line, object>): Observable<object> {
      call.write({ text: 'hello' });
      call.on('cancelled', () => seen.push('talk canceled'));
      call.on('close', () => seen.push('talk closed'));
      // It does not notice.
      const timer = setInterval(() => call.write({ text: 'again' }), 5);
      call.on('close', () => setTimeout(() => clearInterval(timer), 50));
      return NEVER;
    }
  }
  const { address, server } = await startEcho({ maxStreamAge: { grace: 0 } }, { controller: EchoController });
  const client = clientOf(address);
  const [repeat, talk, upload] = [client.repeat({}), client.talk(), join(client)];
  const ends = Promise.all([endOf(repeat), endOf(talk), upload]);
  talk.on('data', () => {});
  talk.write({ text: 'hello' });
  const headers = await headersOf(repeat);
  expect(headers.get('own')).toEqual(['header']);
  expect(Number(headers.get(STREAM_MAX_AGE_KEY)[0])).toBeGreaterThanOrEqual(900);
  for (const end of await ends) {
    expect(end.metadata.get(STREAM_END_KEY)).toEqual(['max_age']);
  }
  await eventually(() => server.load().inFlight === 0 && seen.length >= 3);
  expect(seen.toSorted()).toEqual(['join completed', 'talk canceled', 'talk closed']);
});

test('an age of a method that the server does not have is an error at the start', async () => {
  const start = startEcho({ maxStreamAge: { methods: { 'echo.v1.Echo/Repeet': 5000 } } });
  await expect(start).rejects.toThrow('did you mean "echo.v1.Echo/Repeat"?');
});
