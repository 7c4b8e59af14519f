import { InterceptingCall, type Interceptor, status as Status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { startFeed } from '../../support/streams/feed.js';
import { startHedged } from '../../support/streams/hedged-stream.js';
import { FeedClient, feedTarget, upTo } from '../../support/streams/subscriber.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

test('a stream whose backend is killed goes on at another one, where it was', async () => {
  const { feed, servers } = await startFeed(3);
  const client = await new FeedClient(feedTarget(servers)).ready(3);
  const subscriber = client.subscribe();
  feed.append(10);
  await subscriber.seen(10);
  await servers.find(({ address }) => address === subscriber.last)!.kill();
  feed.append(10);
  await subscriber.seen(20);
  expect(subscriber.numbers).toEqual(upTo(20));
  expect(new Set(subscriber.servers).size).toBe(2);
});

test('a stream whose server of stock Nest closes at once goes on at another one', async () => {
  const { feed, servers } = await startFeed(2);
  const client = await new FeedClient(feedTarget(servers)).ready(2);
  const subscriber = client.subscribe();
  feed.append(3);
  await subscriber.seen(3);
  servers.find(({ address }) => address === subscriber.last)!.forceShutdown();
  feed.append(3);
  await subscriber.seen(6);
  expect(subscriber.error).toBeUndefined();
  expect(subscriber.numbers).toEqual(upTo(6));
});

test('a hedged stream resumes when a server cancels it, whichever was asked last', async () => {
  const { feed, subscriber, first, second } = await startHedged();
  await eventually(() => first.begun === 1 && second.begun === 1);
  // As a proxy that restarts.
  first.endStreams({ code: Status.CANCELLED });
  await eventually(() => first.begun + second.begun > 2 || subscriber.error !== undefined);
  feed.append(1);
  await subscriber.seen(1);
  expect(subscriber.error).toBeUndefined();
  expect(subscriber.numbers).toEqual([1]);
});

test('CANCELLED of a server ends a stream if the options say so', async () => {
  const { feed, servers } = await startFeed(2);
  const rules = { resumableStatusCodes: ['UNAVAILABLE'] } as const;
  const client = await new FeedClient(feedTarget(servers), rules).ready(2);
  const subscriber = client.subscribe();
  feed.append(3);
  await subscriber.seen(3);
  for (const server of servers) server.endStreams({ code: Status.CANCELLED, details: 'enough' });
  await subscriber.seen(4);
  expect(subscriber.error?.code).toBe(Status.CANCELLED);
});

test('what an interceptor cancels on this side does not begin again', async () => {
  const { feed, servers } = await startFeed(1);
  const client = await new FeedClient(feedTarget(servers)).ready(1);
  const calls: InterceptingCall[] = [];
  const interceptors: Interceptor[] = [
    (options, next) => {
      const call = new InterceptingCall(next(options));
      calls.push(call);
      return call;
    },
  ];
  const subscriber = client.subscribe({ interceptors });
  feed.append(1);
  await subscriber.seen(1);
  calls[0]!.cancelWithStatus(Status.CANCELLED, 'enough');
  await subscriber.seen(2);
  expect(subscriber.error).toMatchObject({ code: Status.CANCELLED, details: 'enough' });
  expect(calls).toHaveLength(1);
});

test('OK resumes a stream that has no end of its own', async () => {
  const { feed, servers } = await startFeed(2);
  const rules = { resumableStatusCodes: ['UNAVAILABLE', 'OK'] } as const;
  const client = await new FeedClient(feedTarget(servers), rules).ready(2);
  const subscriber = client.subscribe();
  for (let round = 1; round <= 3; round++) {
    feed.append(3);
    await subscriber.seen(3 * round);
    for (const { streams } of servers) for (const { call } of streams) call.end();
  }
  feed.append(1);
  await subscriber.seen(10);
  expect(subscriber.completed).toBe(false);
  expect(subscriber.numbers).toEqual(upTo(10));
});

test('OK that cannot resume is an error, not the end of the data', async () => {
  const { feed, servers } = await startFeed(1);
  const rules = { resumableStatusCodes: ['OK'], maxAttempts: 2 } as const;
  const client = await new FeedClient(feedTarget(servers), rules).ready(1);
  const statuses: number[] = [];
  const subscriber = client.subscribe({ onStatus: ({ code }) => void statuses.push(code) });
  feed.append(1);
  await subscriber.seen(1);
  servers[0]!.behavior.refuse = (_, call) => {
    call.end();
    return {};
  };
  for (const { call } of servers[0]!.streams) call.end();
  await subscriber.seen(2);
  expect(subscriber.error).toMatchObject({
    code: Status.UNAVAILABLE,
    details:
      'The server has ended the stream with OK (client FEED, Echo/Repeat does not resume: 2 attempts have failed)',
  });
  expect(statuses).toEqual([Status.UNAVAILABLE]);
});

test('UNAVAILABLE resumes; a server that repeats the message of the token is no matter', async () => {
  const { feed, servers } = await startFeed(2);
  for (const { behavior } of servers) behavior.overlap = 1;
  const client = await new FeedClient(feedTarget(servers)).ready(2);
  const subscriber = client.subscribe();
  for (let round = 1; round <= 5; round++) {
    feed.append(3);
    await subscriber.seen(3 * round);
    for (const server of servers) server.endStreams({ code: Status.UNAVAILABLE });
  }
  feed.append(3);
  await subscriber.seen(18);
  expect(subscriber.numbers).toEqual(upTo(18));
});

test.each(['NOT_FOUND', 'PERMISSION_DENIED', 'OUT_OF_RANGE', 'OK'] as const)(
  '%s ends the stream as it is',
  async (name) => {
    const { feed, servers } = await startFeed(1);
    const client = await new FeedClient(feedTarget(servers)).ready(1);
    const statuses: number[] = [];
    const subscriber = client.subscribe({ onStatus: ({ code }) => void statuses.push(code) });
    feed.append(2);
    await subscriber.seen(2);
    if (name === 'OK') for (const { call } of servers[0]!.streams) call.end();
    else servers[0]!.endStreams({ code: Status[name], details: 'no' });
    await subscriber.seen(3);
    expect(subscriber.completed).toBe(name === 'OK');
    expect(subscriber.error?.code).toBe(name === 'OK' ? undefined : Status[name]);
    expect(statuses).toEqual([Status[name]]);
    expect(servers[0]!.begun).toBe(1);
  },
);

test('the trailer of a server that drains resumes whatever its status, and teaches nothing about the endpoint', async () => {
  const { feed, servers } = await startFeed(1);
  const loadBalancing = { ejection: { consecutiveFailures: 1 } };
  const client = await new FeedClient(feedTarget(servers), { resumableStatusCodes: [] }, { loadBalancing }).ready(1);
  const subscriber = client.subscribe();
  feed.append(1);
  await subscriber.seen(1);
  servers[0]!.endStreams({ code: Status.UNAVAILABLE }, { 'grpc-lb-stream-end': 'drain' });
  feed.append(1);
  await subscriber.seen(2);
  expect(subscriber.numbers).toEqual(upTo(2));
  const [endpoint] = client.handle.snapshot().endpoints;
  expect(endpoint).toMatchObject({ state: 'ready', failed: 0 });
});

test('a token that is too old: onGap names the request to go on with', async () => {
  const { feed, servers } = await startFeed(1);
  const gaps: unknown[] = [];
  interface Gap {
    token: string;
    request: object;
    error: { code: number; client: string; peer: string };
  }
  const onGap = ({ token, request, error }: Gap): object => {
    gaps.push([token, request, error.code, error.client, error.peer]);
    return { text: '7' };
  };
  const client = await new FeedClient(feedTarget(servers), { onGap } as never).ready(1);
  const subscriber = client.subscribe();
  feed.append(2);
  await subscriber.seen(2);
  feed.length = 7;
  servers[0]!.behavior.refuse = (after) =>
    after < 7 ? { code: Status.OUT_OF_RANGE, details: 'compacted' } : undefined;
  servers[0]!.endStreams({});
  await eventually(() => gaps.length === 1);
  feed.append(2);
  await subscriber.seen(4);
  expect(subscriber.numbers).toEqual([1, 2, 8, 9]);
  expect(gaps).toEqual([['2', { text: '' }, Status.OUT_OF_RANGE, 'FEED', servers[0]!.address]]);
});

test('without onGap, a token that is too old ends the stream with the status of the server', async () => {
  const { feed, servers } = await startFeed(1);
  const client = await new FeedClient(feedTarget(servers)).ready(1);
  const subscriber = client.subscribe();
  feed.append(2);
  await subscriber.seen(2);
  servers[0]!.behavior.refuse = () => ({ code: Status.OUT_OF_RANGE, details: 'compacted' });
  servers[0]!.endStreams({});
  await subscriber.seen(3);
  expect(subscriber.error).toMatchObject({ code: Status.OUT_OF_RANGE, details: 'compacted' });
});

test('the deadline is that of the subscription, whatever resumes in the meantime', async () => {
  const { feed, servers } = await startFeed(1);
  const client = await new FeedClient(feedTarget(servers)).ready(1);
  const began = performance.now();
  const subscriber = client.subscribe({ timeout: 500 });
  feed.append(1);
  await subscriber.seen(1);
  for (let i = 0; i < 3; i++) {
    servers[0]!.endStreams({});
    feed.append(1);
    await subscriber.seen(i + 2);
  }
  await eventually(() => subscriber.error !== undefined);
  expect(subscriber.error).toMatchObject({ code: Status.DEADLINE_EXCEEDED });
  expect(performance.now() - began).toBeGreaterThan(450);
  expect(subscriber.numbers).toEqual(upTo(4));
});

test('the deadline of a method is that of the subscription, also if an interceptor starts each call later', async () => {
  const { feed, servers } = await startFeed(1);
  const deadlines: unknown[] = [];
  // As one that waits for a token.
  const late: Interceptor = (options, next) => {
    deadlines.push(options.deadline);
    return new InterceptingCall(next(options), {
      start: (metadata, listener, go) => void setImmediate(() => go(metadata, listener)),
    });
  };
  const loadBalancing = { deadline: { methods: { Repeat: 30_000 } } };
  const client = await new FeedClient(feedTarget(servers), {}, { interceptors: [late], loadBalancing }).ready(1);
  const before = Date.now();
  const subscriber = client.subscribe();
  feed.append(1);
  await subscriber.seen(1);
  const after = Date.now();
  servers[0]!.endStreams({});
  feed.append(1);
  await subscriber.seen(2);
  expect(deadlines).toEqual([undefined, expect.any(Number)]);
  expect(deadlines[1]).toBeGreaterThanOrEqual(before + 30_000);
  expect(deadlines[1]).toBeLessThanOrEqual(after + 30_000);
});

test.each(['the backoff', 'onGap'])('the deadline also ends a stream that waits for %s', async (what) => {
  const { feed, servers } = await startFeed(1);
  const rules =
    what === 'onGap' ? { onGap: () => new Promise<never>(() => {}) } : { initialBackoff: 60_000, maxBackoff: 60_000 };
  const client = await new FeedClient(feedTarget(servers), rules).ready(1);
  const statuses: number[] = [];
  const subscriber = client.subscribe({ timeout: 500, onStatus: ({ code }) => void statuses.push(code) });
  feed.append(1);
  await subscriber.seen(1);
  servers[0]!.endStreams({ code: what === 'onGap' ? Status.OUT_OF_RANGE : Status.UNAVAILABLE });
  await subscriber.seen(2);
  expect(subscriber.error).toMatchObject({ code: Status.DEADLINE_EXCEEDED });
  expect(subscriber.error!.details).toBe('Deadline exceeded before the stream resumed');
  expect(statuses).toEqual([Status.DEADLINE_EXCEEDED]);
  expect(servers[0]!.begun).toBe(1);
});

test('the attempts are bounded if the options say so, and the error says why it ends', async () => {
  const { feed, servers } = await startFeed(1);
  const client = await new FeedClient(feedTarget(servers), { maxAttempts: 2 }).ready(1);
  const subscriber = client.subscribe();
  feed.append(1);
  await subscriber.seen(1);
  servers[0]!.behavior.refuse = () => ({ code: Status.UNAVAILABLE, details: 'down' });
  servers[0]!.endStreams({});
  await subscriber.seen(2);
  expect(subscriber.error).toMatchObject({ code: Status.UNAVAILABLE });
  expect(subscriber.error!.details).toBe('down (client FEED, Echo/Repeat does not resume: 2 attempts have failed)');
  expect(servers[0]!.begun).toBe(3);
});

test('a subscriber that leaves while the stream waits to resume is the end of it', async () => {
  const { feed, servers } = await startFeed(1);
  const client = await new FeedClient(feedTarget(servers), { initialBackoff: 60_000 }).ready(1);
  const subscriber = client.subscribe();
  feed.append(1);
  await subscriber.seen(1);
  servers[0]!.endStreams({});
  await eventually(() => servers[0]!.streams.size === 0);
  subscriber.subscription.unsubscribe();
  expect(servers[0]!.begun).toBe(1);
});

test.each(['leaves', 'aborts'])('onStatus is told once of a subscriber that %s', async (how) => {
  const { feed, servers } = await startFeed(1);
  const client = await new FeedClient(feedTarget(servers)).ready(1);
  const statuses: number[] = [];
  const controller = new AbortController();
  const subscriber = client.subscribe({
    signal: controller.signal,
    onStatus: ({ code }) => void statuses.push(code),
  });
  feed.append(1);
  await subscriber.seen(1);
  if (how === 'leaves') subscriber.subscription.unsubscribe();
  else controller.abort();
  await eventually(() => statuses.length > 0);
  await eventually(() => servers[0]!.streams.size === 0);
  expect(statuses).toEqual([Status.CANCELLED]);
});

test('interceptors see each call that carries the stream', async () => {
  const { feed, servers } = await startFeed(2);
  let seen = 0;
  const client = await new FeedClient(
    feedTarget(servers),
    {},
    {
      interceptors: [(options, next) => (seen++, new InterceptingCall(next(options)))],
    },
  ).ready(2);
  const subscriber = client.subscribe();
  feed.append(3);
  await subscriber.seen(3);
  await servers.find(({ address }) => address === subscriber.last)!.kill();
  feed.append(3);
  await subscriber.seen(6);
  expect(subscriber.numbers).toEqual(upTo(6));
  expect(seen).toBe(2);
});

test('a stream that loses its backend while its client closes ends with CANCELLED', async () => {
  const { feed, servers } = await startFeed(1);
  const client = await new FeedClient(feedTarget(servers)).ready(1);
  const subscriber = client.subscribe();
  feed.append();
  await subscriber.seen(1);
  client.handle.close();
  await servers[0]!.kill();
  await eventually(() => subscriber.error !== undefined);
  expect(subscriber.error).toMatchObject({
    code: Status.CANCELLED,
    details: 'client FEED, Echo/Repeat: the client is closed',
  });
});
