import { status as Status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { startFeed } from '../../support/streams/feed.js';
import { FeedClient, feedTarget } from '../../support/streams/subscriber.js';

expectNoLeaks();

/** What a subscriber sees whose stream has to begin again after two messages. */
async function afterTheLossWith(rules: object) {
  const { feed, servers } = await startFeed(1);
  const client = await new FeedClient(feedTarget(servers), rules).ready(1);
  const subscriber = client.subscribe();
  feed.append(2);
  await subscriber.seen(2);
  servers[0]!.endStreams({});
  await subscriber.seen(3);
  const { numbers, error } = subscriber;
  return { numbers, error: error?.message, begun: servers[0]!.begun };
}

describe('a stream ends, and never begins anew, if resume returns', () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      'a promise',
      () => Promise.reject(new Error('later')),
      /what resume returns is a promise; return the value itself/,
    ],
    ['nothing', () => undefined, /what resume returns is undefined; return the request that begins at the token/],
    ['a token', () => '7', /what resume returns is "7"; return the request that begins at the token/],
  ])('%s', async (_, resume, reason) => {
    expect(await afterTheLossWith({ resume })).toEqual({
      numbers: [1, 2],
      error: expect.stringMatching(reason),
      begun: 1,
    });
  });
});

test.each([() => null, () => Promise.resolve(null)])('an onGap that returns null gives up', async (onGap) => {
  const { feed, servers } = await startFeed(1);
  const client = await new FeedClient(feedTarget(servers), { onGap } as never).ready(1);
  const subscriber = client.subscribe();
  feed.append(2);
  await subscriber.seen(2);
  servers[0]!.endStreams({ code: Status.OUT_OF_RANGE, details: 'compacted' });
  await subscriber.seen(3);
  expect(subscriber.error).toMatchObject({ code: Status.OUT_OF_RANGE, details: 'compacted' });
});
