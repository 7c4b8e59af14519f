import { setTimeout as delay } from 'node:timers/promises';
import { InterceptingCall, type Interceptor, status as Status } from '@grpc/grpc-js';
import { GrpcLbClientHandle, type GrpcLbClientOptions, iterate, resumable } from 'nestjs-grpc-lb';
import { from, NEVER, Subject, throwError } from 'rxjs';
import { expect, test } from 'vitest';
import { randomBelow, seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import type { Line } from '../../support/echo/cluster.js';
import { type EchoService, type EchoStub, echoOptions } from '../../support/nest/app.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { type ConversationServer, startConversation } from '../../support/streams/conversation.js';
import { Subscriber, upTo } from '../../support/streams/subscriber.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const HELLO = { text: 'hello', times: 0 };

/** The first request opens the stream; the others are numbers, which the message of the same number acknowledges. */
function rules(maxPending = 1000, maxPendingBytes?: number) {
  return resumable<EchoService, number>({
    method: 'talk',
    token: ({ times }) => times,
    resume: (hello, token) => ({ ...hello, times: token }),
    initialBackoff: 5,
    maxBackoff: 50,
    replay: {
      key: ({ text }) => (text === 'hello' ? undefined : text),
      acknowledged: ({ text }) => text,
      maxPending,
      ...(maxPendingBytes !== undefined && { maxPendingBytes }),
    },
  });
}

interface Limits {
  readonly maxPending?: number;
  readonly maxPendingBytes?: number;
}

/** A client of these servers, without Nest's container. */
async function clientOf(
  servers: readonly ConversationServer[],
  { maxPending, maxPendingBytes, ...more }: Partial<GrpcLbClientOptions> & Limits = {},
): Promise<{ handle: GrpcLbClientHandle; echo: EchoStub }> {
  const target = `static:///${servers.map(({ address }) => address).join(',')}`;
  const handle = new GrpcLbClientHandle(
    'CHAT',
    echoOptions(target, { resumable: [rules(maxPending, maxPendingBytes)], ...more }),
    () => {},
  );
  closeWithTest(() => handle.close());
  handle.connect();
  await eventually(() => handle.snapshot().endpoints.every(({ state }) => state === 'ready'));
  return { handle, echo: handle.getService<EchoStub>('Echo') };
}

/** Sends the numbers up to n from wherever it is. */
class Speaker {
  readonly requests = new Subject<Partial<Line>>();
  said = 0;

  constructor(private readonly name = '') {}

  say(count: number): void {
    for (let i = 0; i < count; i++) this.requests.next({ text: `${this.name}${++this.said}` });
  }
}

function hereOf(subscriber: Subscriber, servers: readonly ConversationServer[]): ConversationServer {
  return servers.find(({ address }) => address === subscriber.last)!;
}

const texts = (n: number): string[] => upTo(n).map(String);

const intercept: Interceptor = (options, next) => new InterceptingCall(next(options));

test.each([
  ['directly', []],
  ['through interceptors', [intercept]],
])('requests that a killed backend has not acknowledged go to another one, %s', async (_, interceptors) => {
  const { conversation, servers } = await startConversation(3);
  const { echo } = await clientOf(servers, { interceptors });
  const speaker = new Speaker();
  const subscriber = new Subscriber(echo.talk(speaker.requests));
  speaker.requests.next(HELLO);
  speaker.say(10);
  await subscriber.seen(10);
  for (let round = 1; round <= 2; round++) {
    conversation.acknowledges = false;
    speaker.say(10);
    await eventually(() => conversation.log.length === 20 * round);
    hereOf(subscriber, servers).kill();
    conversation.acknowledges = true;
    speaker.say(10);
    await subscriber.seen(10 + 20 * round);
  }
  expect(subscriber.numbers).toEqual(upTo(50));
  expect(conversation.log).toEqual(texts(50));
  expect(conversation.repeated).toBe(20);
  expect(servers.flatMap(({ openings }) => openings).toSorted((a, b) => a - b)).toEqual([0, 10, 30]);
  speaker.requests.complete();
  await eventually(() => subscriber.completed);
});

type Leave = (handle: GrpcLbClientHandle, here: ConversationServer) => void;

const REASONS: readonly [string, moves: number, Leave][] = [
  ['is drained by an operator', 1, (handle, { address }) => handle.drain(address)],
  ['is ejected', 1, (handle, { address }) => handle.eject(address, 60_000)],
  ['sends GOAWAY', 1, (_handle, here) => here.goAway()],
  ['ends its streams, as it drains', 0, (_handle, here) => here.endStreams()],
];

test.each(REASONS)(
  'a conversation whose backend %s goes on at another one: each request and each answer once, in order',
  async (_, moves, leave) => {
    const { conversation, servers } = await startConversation(3);
    const { echo, handle } = await clientOf(servers);
    const speaker = new Speaker();
    const subscriber = new Subscriber(echo.talk(speaker.requests));
    speaker.requests.next(HELLO);
    speaker.say(1);
    await subscriber.seen(1);
    const here = hereOf(subscriber, servers);
    leave(handle, here);
    const speaking = setInterval(() => speaker.say(5), 1);
    try {
      await eventually(() => here.talks.size === 0);
      await subscriber.seen(subscriber.numbers.length + 200);
    } finally {
      clearInterval(speaking);
    }
    speaker.requests.complete();
    await eventually(() => subscriber.completed || subscriber.error !== undefined);
    expect(subscriber.error).toBeUndefined();
    // It may begin again where it was, unless the backend is left.
    expect(moves === 0 || subscriber.last !== here.address).toBe(true);
    expect(Object.values(handle.snapshot().totals.streamMoves).reduce((sum, count) => sum + count, 0)).toBe(moves);
    expect(subscriber.numbers).toEqual(upTo(subscriber.numbers.length));
    expect(conversation.log).toEqual(texts(subscriber.numbers.length));
    expect(servers.reduce((sum, { openings }) => sum + openings.length, 0)).toBe(2);
  },
);

test('20 conversations, connections lost, backends ejected and streams ended at random: nothing lost, doubled, or out of order', async () => {
  const COUNT = 20;
  const { conversation, servers } = await startConversation(3);
  const { echo, handle } = await clientOf(servers);
  const random = seededRandom(14);
  const speakers = Array.from({ length: COUNT }, (_, i) => new Speaker(`${i}-`));
  const subscribers = speakers.map(({ requests }) => new Subscriber(echo.talk(requests)));
  for (const { requests } of speakers) requests.next(HELLO);
  let drained: ConversationServer | undefined;
  for (let round = 1; round <= 40 || drained!.talks.size > 0; round++) {
    for (const speaker of speakers) speaker.say(1 + randomBelow(random, 3));
    // At last the streams of one backend move.
    if (round === 40) drained = hereOf(subscribers[0]!, servers);
    if (round === 40) handle.drain(drained!.address);
    const server = servers[randomBelow(random, 3)]!;
    if (round % 6 === 0 && round < 40) server.cut();
    else if (round % 6 === 2 && round < 40) handle.eject(server.address, 100);
    else if (round % 6 === 4 && round < 40) server.endStreams();
    const { length } = conversation.log;
    await eventually(() => conversation.log.length > length);
    await delay(20);
  }
  const all = speakers.reduce((sum, { said }) => sum + said, 0);
  await Promise.all(subscribers.map((subscriber) => subscriber.seen(all)));
  for (const subscriber of subscribers) {
    expect(subscriber.error).toBeUndefined();
    expect(subscriber.numbers).toEqual(upTo(all));
  }
  expect(conversation.log).toHaveLength(all);
  for (const [i, { said }] of speakers.entries()) {
    const own = conversation.log.filter((text) => text.startsWith(`${i}-`));
    expect(own).toEqual(texts(said).map((text) => `${i}-${text}`));
  }
});

test('an iterable of requests waits while too many are not acknowledged', async () => {
  const { conversation, servers } = await startConversation(2);
  const { echo } = await clientOf(servers, { maxPending: 5 });
  conversation.acknowledges = false;
  let asked = 0;
  function* requests(): Generator<Partial<Line>> {
    yield HELLO;
    for (const text of texts(20)) {
      asked++;
      yield { text };
    }
  }
  const subscriber = new Subscriber(echo.talk(requests()));
  await eventually(() => conversation.log.length === 5);
  expect(asked).toBe(5);
  conversation.acknowledges = true;
  for (const server of servers) server.endStreams();
  await eventually(() => subscriber.completed);
  expect(subscriber.numbers).toEqual(upTo(20));
  expect(conversation.log).toEqual(texts(20));
});

test('requests wait by their bytes too, and the reason names that limit', async () => {
  const { conversation, servers } = await startConversation(1);
  const { echo } = await clientOf(servers, { maxPendingBytes: 2500 });
  conversation.acknowledges = false;
  let asked = 0;
  const long = (text: string): Partial<Line> => ({ text, server: 'x'.repeat(1000) });
  function* requests(): Generator<Partial<Line>> {
    yield HELLO;
    for (const text of texts(20)) {
      asked++;
      yield long(text);
    }
  }
  const subscriber = new Subscriber(echo.talk(requests()));
  await eventually(() => conversation.log.length === 3);
  expect(asked).toBe(3);
  conversation.acknowledges = true;
  for (const server of servers) server.endStreams();
  await eventually(() => subscriber.completed);
  expect(conversation.log).toEqual(texts(20));
  conversation.acknowledges = false;
  const other = new Subscriber(echo.talk(from([HELLO, ...texts(6).map(long)])));
  await eventually(() => other.error !== undefined);
  expect(other.error).toMatchObject({
    code: Status.RESOURCE_EXHAUSTED,
    details: expect.stringMatching(
      /: 30\d\d bytes of requests wait to be sent or acknowledged \(replay\.maxPendingBytes 2500\); pass an iterable/,
    ),
  });
});

test('an Observable cannot wait: the stream ends with the reason and the remedy', async () => {
  const { servers } = await startConversation(1);
  const { echo } = await clientOf(servers, { maxPending: 5 });
  const subscriber = new Subscriber(echo.talk(from([HELLO, ...texts(6).map((text) => ({ text }))])));
  await eventually(() => subscriber.error !== undefined);
  expect(subscriber.error).toMatchObject({
    code: Status.RESOURCE_EXHAUSTED,
    details:
      'client CHAT, Echo/Talk: 5 requests wait to be sent or acknowledged (replay.maxPending); ' +
      'pass an iterable, which can wait, or send less',
  });
  await eventually(() => servers[0]!.talks.size === 0);
});

test('two requests with one key end the stream, and so do an error of the requests, and what is not a stream', async () => {
  const { servers } = await startConversation(1);
  const { echo } = await clientOf(servers);
  const errorOf = async (requests: unknown): Promise<Error> => {
    const subscriber = new Subscriber(echo.talk(requests as Subject<Partial<Line>>));
    await eventually(() => subscriber.error !== undefined);
    return subscriber.error!;
  };
  expect((await errorOf(from([HELLO, { text: 'a' }, { text: 'a' }]))).message).toMatch(
    /^client CHAT, Echo\/Talk: replay\.key returns "a" for two requests that are not acknowledged; return a key that/,
  );
  expect(await errorOf(throwError(() => new Error('no more')))).toEqual(new Error('no more'));
  expect((await errorOf({ text: 'a' })).message).toMatch(/request is another object, but the method takes a stream/);
});

test('the call is open before the first request, and its deadline holds', async () => {
  const { conversation, servers } = await startConversation(1);
  const { echo } = await clientOf(servers);
  const requests = new Subject<Partial<Line>>();
  const subscriber = new Subscriber(echo.talk(requests));
  await eventually(() => servers[0]!.talks.size === 1);
  servers[0]!.endStreams();
  await eventually(() => servers[0]!.talks.size === 1);
  requests.next(HELLO);
  requests.next({ text: '1' });
  await subscriber.seen(1);
  expect(servers[0]!.openings).toEqual([0]);
  expect(conversation.log).toEqual(['1']);
  const silent = new Subscriber(echo.talk(NEVER, { timeout: 50 }));
  await eventually(() => silent.error !== undefined);
  expect(silent.error).toMatchObject({ code: Status.DEADLINE_EXCEEDED });
});

test('a first request with a key is replayed as the others', async () => {
  const { conversation, servers } = await startConversation(2);
  const opens = { ...rules(), resume: () => HELLO };
  const { echo } = await clientOf(servers, { resumable: [opens as never] });
  const requests = new Subject<Partial<Line>>();
  const subscriber = new Subscriber(echo.talk(requests));
  requests.next({ text: '1' });
  await eventually(() => conversation.log.length === 1);
  for (const server of servers) server.endStreams();
  await eventually(() => conversation.repeated === 1);
  expect(subscriber.numbers).toEqual([]);
  subscriber.subscription.unsubscribe();
  await eventually(() => servers.every(({ talks }) => talks.size === 0));
});

test('iterate pulls the messages of a conversation', async () => {
  const { servers } = await startConversation(2);
  const { echo } = await clientOf(servers);
  const seen: number[] = [];
  for await (const { times } of iterate(echo.talk([HELLO, ...texts(50).map((text) => ({ text }))]))) {
    seen.push(times);
    if (times === 10) for (const server of servers) server.endStreams();
  }
  expect(seen).toEqual(upTo(50));
});
