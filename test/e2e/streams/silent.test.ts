import { expect, test } from 'vitest';
import { TcpProxy } from '../../support/peers/tcp-proxy.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { startFeed } from '../../support/streams/feed.js';
import { FeedClient, upTo } from '../../support/streams/subscriber.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

/** The shortest times that the options allow. */
const pool = { pingAfter: 100, suspectAfter: 100 };

/** Two servers behind proxies that can freeze, and a subscriber that has seen three messages. */
async function subscribed() {
  const { feed, servers } = await startFeed(2);
  for (const { behavior } of servers) behavior.headers = true;
  const proxies = await Promise.all(servers.map(({ address }) => new TcpProxy(address).start()));
  for (const proxy of proxies) closeWithTest(() => proxy.stop());
  const target = `static:///${proxies.map(({ address }) => address).join(',')}`;
  const client = await new FeedClient(target, {}, { loadBalancing: { pool } }).ready(2);
  const subscriber = client.subscribe();
  feed.append(3);
  await subscriber.seen(3);
  const here = servers.findIndex(({ address }) => address === subscriber.last);
  return { feed, servers, client, subscriber, here, proxy: proxies[here]! };
}

test('a stream leaves a backend that stands still, and the messages that it missed follow', async () => {
  const { feed, client, subscriber, proxy, servers, here } = await subscribed();
  proxy.freeze();
  feed.append(3);
  await subscriber.seen(6);
  expect(subscriber.numbers).toEqual(upTo(6));
  expect(subscriber.last).toBe(servers[1 - here]!.address);
  expect(client.handle.snapshot().totals).toMatchObject({ streamMoves: { silent: 1 }, streamsResumed: 0 });
  expect(client.events).toContainEqual(
    expect.objectContaining({ type: 'streams_leaving', address: proxy.address, reason: 'silent', streams: 1 }),
  );
  // What the old call still has is not delivered.
  proxy.thaw();
  await eventually(() => servers[here]!.streams.size === 0);
  feed.append(1);
  await subscriber.seen(7);
  expect(subscriber.numbers).toEqual(upTo(7));
});

test('a stream stays where all backends stand still, and goes on when they do', async () => {
  const { feed, client, subscriber, proxy, servers, here } = await subscribed();
  await servers[1 - here]!.kill();
  await eventually(() => client.handle.snapshot().endpoints.some(({ state }) => state === 'transient_failure'));
  proxy.freeze();
  feed.append(3);
  await eventually(() => client.handle.snapshot().endpoints.some(({ state }) => state === 'suspect'));
  proxy.thaw();
  await subscriber.seen(6);
  expect(subscriber.numbers).toEqual(upTo(6));
  expect(client.handle.snapshot().totals).toMatchObject({ streamMoves: {}, streamsResumed: 0 });
});
