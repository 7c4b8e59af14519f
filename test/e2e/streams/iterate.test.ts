import { status as Status } from '@grpc/grpc-js';
import { from, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { iterate } from 'nestjs-grpc-lb';
import { expectNoLeaks } from '../../support/run/leaks.js';
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
        for await (const message of messages) void message;
      })(),
    ).rejects.toMatchObject({ code: Status.NOT_FOUND });
    expect(await messages.next()).toEqual({ value: undefined, done: true });
  });
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
