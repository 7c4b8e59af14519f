import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { ringHash } from 'nestjs-grpc-lb';
import { ManualDiscovery } from '../../support/echo/balanced-client.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { type FeedServer, startFeed } from '../../support/streams/feed.js';
import { startHedged } from '../../support/streams/hedged-stream.js';
import { FeedClient, feedTarget, Subscriber, upTo } from '../../support/streams/subscriber.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const MESSAGES = 2000;

/** Where a stream is, and the other servers. */
function serversOf(subscriber: Subscriber, servers: readonly FeedServer[]): { here: FeedServer; others: FeedServer[] } {
  const here = servers.find(({ address }) => address === subscriber.last)!;
  return { here, others: servers.filter((server) => server !== here) };
}

const REASONS = {
  'reports NOT_SERVING': (_client, { here }) => here.health!.setStatus('', 'NOT_SERVING'),
  'is ejected': (client, { here }) => client.handle.eject(here.address, 60_000),
  'leaves the list': (_client, { others }, discovery) => discovery.set(others as never),
  'is drained by an operator': (client, { here }) => client.handle.drain(here.address),
  'sends GOAWAY': (_client, { here }) => here.goAway(),
  'has its connections replaced': (client, { here }) => client.handle.recycle(here.address),
} satisfies Record<
  string,
  (client: FeedClient, servers: ReturnType<typeof serversOf>, discovery: ManualDiscovery) => void
>;

test.each(Object.entries(REASONS))(
  'a stream whose backend %s moves: nothing lost, doubled, or out of order',
  async (reason, leave) => {
    const { feed, servers } = await startFeed(3, { withHealth: { '': 'SERVING' } });
    const discovery = new ManualDiscovery(servers as never);
    const client = await new FeedClient(
      discovery.target,
      {},
      {
        loadBalancing: { health: { service: '' } },
      },
    ).ready(3);
    const subscriber = client.subscribe();
    feed.append();
    await subscriber.seen(1);
    const all = serversOf(subscriber, servers);
    let cancelledAt = 0;
    leave(client, all, discovery);
    // The old stream ends only when the new one has taken over.
    const writing = setInterval(() => feed.append(5), 1);
    try {
      await eventually(() => all.here.streams.size === 0 || (reason.includes('replaced') && all.here.begun === 2));
      cancelledAt = feed.length;
      await subscriber.seen(cancelledAt + MESSAGES);
    } finally {
      clearInterval(writing);
    }
    expect(subscriber.numbers).toEqual(upTo(subscriber.numbers.length));
    expect(subscriber.error).toBeUndefined();
    const begun = servers.reduce((sum, server) => sum + server.begun, 0);
    expect(begun).toBe(2);
    // Only its connection was replaced: it may be where it was.
    const stays = reason.includes('replaced') && subscriber.last === all.here.address;
    expect(stays || subscriber.last !== all.here.address).toBe(true);
    subscriber.subscription.unsubscribe();
    await eventually(() => servers.every(({ streams }) => streams.size === 0));
  },
);

test('a hedged stream moves when the backend that answers it drains, whichever was asked last', async () => {
  const { feed, client, subscriber, first, second } = await startHedged();
  second.behavior.silent = true;
  await eventually(() => second.begun === 1);
  feed.append();
  await subscriber.seen(1);
  expect(subscriber.last).toBe(first.address);
  Object.assign(second.behavior, { silent: false, headers: true });
  client.handle.drain(first.address);
  await eventually(() => first.streams.size === 0);
  feed.append();
  await subscriber.seen(2);
  expect(subscriber.last).toBe(second.address);
});

test('a stream whose server announces its maximum age moves before that age', async () => {
  const { feed, servers } = await startFeed(2);
  for (const { behavior } of servers) behavior.metadata = { 'grpc-lb-stream-max-age-ms': '1000' };
  const client = await new FeedClient(feedTarget(servers)).ready(2);
  const subscriber = client.subscribe();
  feed.append();
  await subscriber.seen(1);
  const { here, others } = serversOf(subscriber, servers);
  await eventually(() => here.streams.size === 0 && others[0]!.streams.size === 1);
  feed.append(3);
  await subscriber.seen(4);
  expect(subscriber.numbers).toEqual(upTo(4));
  expect(subscriber.last).toBe(others[0]!.address);
});

test.each(['soon', '-5', '0', '1e3', '99999999999999999999', ''])('an age of "%s" is ignored', async (age) => {
  const { feed, servers } = await startFeed(1);
  servers[0]!.behavior.metadata = { 'grpc-lb-stream-max-age-ms': age };
  const client = await new FeedClient(feedTarget(servers)).ready(1);
  const subscriber = client.subscribe();
  feed.append();
  await subscriber.seen(1);
  expect(servers[0]!.begun).toBe(1);
});

test('with handover: false a stream stays until its server ends it', async () => {
  const { feed, servers } = await startFeed(2);
  const client = await new FeedClient(feedTarget(servers), { handover: false }).ready(2);
  const subscriber = client.subscribe();
  feed.append();
  await subscriber.seen(1);
  const { here, others } = serversOf(subscriber, servers);
  client.handle.drain(here.address);
  here.endStreams({});
  feed.append();
  await subscriber.seen(2);
  expect(subscriber.last).toBe(others[0]!.address);
});

test('a move that the only other backend refuses leaves the stream where it is', async () => {
  const { feed, servers } = await startFeed(2);
  const client = await new FeedClient(feedTarget(servers)).ready(2);
  const subscriber = client.subscribe();
  feed.append();
  await subscriber.seen(1);
  const { here, others } = serversOf(subscriber, servers);
  const other = others[0]!;
  other.behavior.refuse = () => ({ code: status.NOT_FOUND, details: 'not here' });
  client.handle.drain(here.address);
  await eventually(() => other.begun === 1);
  feed.append();
  await subscriber.seen(2);
  expect(subscriber.last).toBe(here.address);
  // It is asked again, until it can go.
  delete other.behavior.refuse;
  await eventually(() => here.streams.size === 0);
  feed.append();
  await subscriber.seen(3);
  expect(subscriber.numbers).toEqual(upTo(3));
});

test('a stream moves on from a backend that is ejected while the stream moves to it', async () => {
  const { feed, servers } = await startFeed(3);
  const loadBalancing = { streams: { rebalance: false } } as const;
  const client = await new FeedClient(feedTarget(servers), {}, { loadBalancing }).ready(3);
  const subscriber = client.subscribe();
  feed.append();
  await subscriber.seen(1);
  const { here, others } = serversOf(subscriber, servers);
  client.handle.drain(here.address);
  await eventually(() => others.some(({ begun }) => begun === 1));
  const second = others.find(({ begun }) => begun === 1)!;
  const third = others.find((server) => server !== second)!;
  client.handle.eject(second.address, 60_000);
  // The new stream is level.
  feed.append();
  await eventually(() => here.streams.size === 0);
  third.behavior.headers = true;
  await eventually(() => second.streams.size === 0);
  feed.append();
  await subscriber.seen(3);
  expect(subscriber.numbers).toEqual(upTo(3));
  expect(subscriber.last).toBe(third.address);
  expect(client.handle.snapshot().totals.streamMoves).toEqual({ removed: 1, ejected: 1 });
});

test('a stream moves on from a connection that retires while the stream moves to it', async () => {
  const { feed, servers } = await startFeed(1);
  const [server] = servers;
  const client = await new FeedClient(feedTarget(servers)).ready(1);
  const subscriber = client.subscribe();
  feed.append();
  await subscriber.seen(1);
  const connections = (): readonly { state: string }[] => client.handle.snapshot().endpoints[0]!.connections;
  client.handle.recycle(server!.address);
  await eventually(() => server!.begun === 2);
  client.handle.recycle(server!.address);
  await eventually(() => connections().filter(({ state }) => state === 'retiring').length === 2);
  // The new stream is level.
  feed.append();
  await eventually(() => server!.streams.size === 1);
  server!.behavior.headers = true;
  await eventually(() => connections().length === 1);
  feed.append();
  await subscriber.seen(3);
  expect(subscriber.numbers).toEqual(upTo(3));
  expect(server!.begun).toBe(3);
});

test('a subscriber that leaves during a move leaves no call behind', async () => {
  const { feed, servers } = await startFeed(2);
  const client = await new FeedClient(feedTarget(servers)).ready(2);
  const subscriber = client.subscribe();
  feed.append();
  await subscriber.seen(1);
  const { here, others } = serversOf(subscriber, servers);
  others[0]!.behavior.silent = true;
  client.handle.drain(here.address);
  await eventually(() => others[0]!.streams.size === 1);
  expect(here.streams.size).toBe(1);
  subscriber.subscription.unsubscribe();
  await eventually(() => servers.every(({ streams }) => streams.size === 0));
});

test('a deadline that passes during a move ends the stream', async () => {
  const { feed, servers } = await startFeed(2);
  const client = await new FeedClient(
    feedTarget(servers),
    {},
    { loadBalancing: { deadline: { methods: { Repeat: 3000 } } } },
  ).ready(2);
  const subscriber = client.subscribe();
  feed.append();
  await subscriber.seen(1);
  const { here, others } = serversOf(subscriber, servers);
  others[0]!.behavior.silent = true;
  client.handle.drain(here.address);
  await eventually(() => others[0]!.streams.size === 1);
  await eventually(() => subscriber.error !== undefined);
  expect(subscriber.error).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  await eventually(() => servers.every(({ streams }) => streams.size === 0));
});

test('with ring_hash, a stream whose connection is replaced stays where its key is', async () => {
  const { feed, servers } = await startFeed(4);
  const loadBalancing = { policy: ringHash({ by: { field: 'server' } }) };
  const client = await new FeedClient(feedTarget(servers), {}, { loadBalancing }).ready(4);
  const subscribers = Array.from(
    { length: 12 },
    (_, i) => new Subscriber(client.echo.repeat({ text: '', server: `session ${i}` })),
  );
  feed.append();
  await Promise.all(subscribers.map((each) => each.seen(1)));
  const places = subscribers.map(({ last }) => last);
  for (const server of servers) server.behavior.headers = true;
  for (const server of servers) client.handle.recycle(server.address);
  const begun = (): number => servers.reduce((sum, each) => sum + each.begun, 0);
  await eventually(() => begun() === 24);
  feed.append();
  await Promise.all(subscribers.map((each) => each.seen(2)));
  expect(subscribers.map(({ last }) => last)).toEqual(places);
});

test('with ring_hash, streams follow their keys to a backend that joins, and are then where their calls are', async () => {
  const { feed, servers } = await startFeed(3);
  const discovery = new ManualDiscovery(servers.slice(0, 2) as never);
  const loadBalancing = { policy: ringHash({ by: { field: 'server' } }), streams: { rebalance: { interval: 100 } } };
  const client = await new FeedClient(discovery.target, {}, { loadBalancing }).ready(2);
  const sessions = Array.from({ length: 24 }, (_, i) => `session ${i}`);
  const subscribers = sessions.map((server) => new Subscriber(client.echo.repeat({ text: '', server })));
  feed.append();
  await Promise.all(subscribers.map((each) => each.seen(1)));
  const before = subscribers.map(({ last }) => last);
  discovery.set(servers as never);
  for (const server of servers) server.behavior.headers = true;
  await client.ready(3);
  // Where calls with the same keys go now.
  const again = sessions.map((server) => new Subscriber(client.echo.repeat({ text: '1', server })));
  await eventually(() => servers.reduce((sum, { streams }) => sum + streams.size, 0) >= 48);
  feed.append();
  await Promise.all(again.map((each) => each.seen(1)));
  const homes = again.map(({ last }) => last);
  const follow = homes.filter((home, i) => home !== before[i]).length;
  expect(follow).toBeGreaterThan(2);
  await eventually(() => client.handle.snapshot().totals.streamMoves.key === follow);
  feed.append();
  await Promise.all(subscribers.map((each) => each.seen(3)));
  for (const { numbers } of subscribers) expect(numbers).toEqual(upTo(3));
  expect(subscribers.map(({ last }) => last)).toEqual(homes);
  expect(client.handle.snapshot().totals.streamMoves).toEqual({ key: follow });
});

test('streams move one by one to a backend that joins, until it has its share', async () => {
  const { feed, servers } = await startFeed(3);
  const discovery = new ManualDiscovery(servers.slice(0, 2) as never);
  const loadBalancing = { streams: { rebalance: { interval: 100 } }, slowStart: { enabled: false } };
  const client = await new FeedClient(discovery.target, {}, { loadBalancing }).ready(2);
  const subscribers = Array.from({ length: 12 }, () => client.subscribe());
  feed.append();
  await Promise.all(subscribers.map((each) => each.seen(1)));
  expect(servers.map(({ streams }) => streams.size)).toEqual([6, 6, 0]);
  discovery.set(servers as never);
  for (const server of servers) server.behavior.headers = true;
  // A client draws by lot whether it rounds nine tenths of the share, 3.6, up or down.
  await eventually(() => servers[2]!.streams.size >= 3);
  await eventually(() => servers.reduce((sum, { streams }) => sum + streams.size, 0) === 12);
  feed.append();
  await Promise.all(subscribers.map((each) => each.seen(2)));
  for (const { numbers } of subscribers) expect(numbers).toEqual([1, 2]);
  // No stream moved but to the new one.
  expect(servers.slice(0, 2).map(({ begun }) => begun)).toEqual([6, 6]);
});
