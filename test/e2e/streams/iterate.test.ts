import { status as Status } from '@grpc/grpc-js';
import { from, NEVER, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { iterate } from 'nestjs-grpc-lb';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { message, RawPeer } from '../../support/peers/raw-peer.js';
import { startFeed } from '../../support/streams/feed.js';
import { FeedClient, feedTarget, upTo } from '../../support/streams/subscriber.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const MANY = 50_000;
/** What a server may write ahead of a consumer that has stopped: windows and stream buffers. */
const AHEAD = 10_000;

const KINDS = {
  'a resumable method': {},
  'a resumable method with an interceptor': {
    interceptors: [(options: object, next: (options: object) => never) => next(options)],
  },
  'a method that does not resume': { resumable: [] },
};

describe.each(Object.entries(KINDS))('%s', (_kind, more) => {
  test('a slow consumer stops the server', async () => {
    const { feed, servers } = await startFeed(1);
    const [server] = servers;
    const client = await new FeedClient(feedTarget(servers), {}, more as object).ready(1);
    feed.append(MANY);
    const messages = iterate(client.echo.repeat({ text: '' }));
    expect(server!.begun).toBe(0);
    const seen: number[] = [];
    let ahead = 0;
    for await (const { text } of messages) {
      seen.push(Number(text));
      if (seen.length === 3) {
        await eventually(() => server!.blocked > 0);
        ahead = server!.sent;
      }
      if (seen.length === MANY) break;
    }
    expect(ahead).toBeLessThan(AHEAD);
    expect(seen).toEqual(upTo(MANY));
    await eventually(() => server!.streams.size === 0);
  });

  test('leaving the loop cancels the call, and an error of the stream is thrown', async () => {
    const { feed, servers } = await startFeed(1);
    const client = await new FeedClient(feedTarget(servers), {}, more as object).ready(1);
    feed.append(3);
    for await (const { text } of iterate(client.echo.repeat({ text: '' }))) if (text === '2') break;
    await eventually(() => servers[0]!.streams.size === 0);
    const messages = iterate(client.echo.repeat({ text: '' }));
    await messages.next();
    servers[0]!.endStreams({ code: Status.NOT_FOUND, details: 'gone' });
    await expect(
      (async () => {
        for await (const each of messages) void each;
      })(),
    ).rejects.toMatchObject({ code: Status.NOT_FOUND });
    expect(await messages.next()).toEqual({ value: undefined, done: true });
  });
});

const INTERCEPTED = KINDS['a resumable method with an interceptor'];

test.each([
  ['a method that does not resume', { resumable: [] }, 'repeat', 17],
  // A stream of grpc-js holds some, too.
  ['with an interceptor', { resumable: [], ...INTERCEPTED }, 'repeat', 30],
  ['a resumable method with an interceptor', INTERCEPTED, 'repeat', 30],
  ['a stream of requests', {}, 'talk', 30],
] as const)('what has been received before an error is read before it: %s', async (_which, more, method, count) => {
  let fail = (): void => {};
  const peer = await new RawPeer(({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': Status.ABORTED }));
    for (let i = 0; i < count; i++) stream.write(message(Buffer.from([10, 1, 48 + i])));
    fail = () => stream.end();
  }).start();
  const options = { loadBalancing: { health: { enabled: false } }, ...more } as object;
  const client = new FeedClient(peer.target, {}, options);
  let received = 0;
  client.handle.observe({ callStarted: () => ({ messageReceived: () => void received++ }) });
  let status: Status | undefined;
  const onStatus = ({ code }: { code: Status }): void => void (status = code);
  const { echo } = client;
  const messages = iterate(
    method === 'talk' ? echo.talk(NEVER, { onStatus }) : echo.repeat({ text: '' }, { onStatus }),
  );
  await messages.next();
  await eventually(() => received === count);
  fail();
  await eventually(() => status === Status.ABORTED);
  for (let i = 1; i < count; i++) expect((await messages.next()).done).toBe(false);
  await expect(messages.next()).rejects.toMatchObject({ code: Status.ABORTED });
  expect((await messages.next()).done).toBe(true);
});

test('a consumer that pauses while its stream moves misses nothing', async () => {
  const { feed, servers } = await startFeed(3);
  const client = await new FeedClient(feedTarget(servers)).ready(3);
  feed.append(20_000);
  const seen: number[] = [];
  let moves = 0;
  for await (const { text } of iterate(client.echo.repeat({ text: '' }))) {
    seen.push(Number(text));
    if (seen.length % 1000 === 500 && moves < 5) {
      const here = servers.find(({ streams }) => streams.size > 0)!;
      client.handle.eject(here.address, 60_000);
      moves++;
      // The new stream catches up though the consumer has stopped.
      await eventually(() => here.streams.size === 0);
      client.handle.restore(here.address);
    }
    if (seen.length === 20_000) break;
  }
  expect(moves).toBe(5);
  expect(seen).toEqual(upTo(20_000));
});

test('an Observable that cannot be slowed down is refused', () => {
  for (const other of [of(1), from([1]), undefined as never])
    expect(() => iterate(other)).toThrow(
      /^iterate: stream is (an Observable of something else|not an Observable); pass/,
    );
});
