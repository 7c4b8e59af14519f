import { credentials, status as Status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { registerXds } from '../../../libs/grpc-lb/src/discovery/xds/index.js';
import { DelegatedChannel } from '../../../libs/grpc-lb/src/grpc/channel/delegated-channel.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { startFeed, type FeedServer } from '../../support/streams/feed.js';
import { FeedClient, upTo } from '../../support/streams/subscriber.js';
import { eventually } from '../../support/time/patience.js';
import { AdsServer } from '../../support/xds/ads-server.js';
import { assignment, cluster, listener, routes } from '../../support/xds/resources.js';

expectNoLeaks();

let ads: AdsServer;
let keeper: DelegatedChannel;

beforeAll(async () => {
  ads = await new AdsServer().start();
  // The library reads it once per process.
  vi.stubEnv('GRPC_XDS_BOOTSTRAP_CONFIG', JSON.stringify(ads.bootstrap()));
  registerXds();
  // While a watch is open, all share one stream: the library waits longer before each new stream.
  publish('keeper', []);
  keeper = new DelegatedChannel({
    name: 'KEEPER',
    target: 'xds:///keeper',
    credentials: credentials.createInsecure(),
  });
  keeper.connect();
});

afterAll(async () => {
  keeper.close();
  await ads.stop();
  vi.unstubAllEnvs();
});

function publish(name: string, servers: readonly FeedServer[]): void {
  ads.set('eds', name, assignment(name, [{ endpoints: servers.map(({ port }) => ({ port })) }]));
  ads.set('cds', name, cluster(name));
  ads.set('rds', name, routes(name, name));
  ads.set('lds', name, listener(name, name));
}

/** A client of two servers, whose endpoints a control plane names, and a subscriber that has seen three messages. */
async function subscribed(name: string) {
  const { feed, servers } = await startFeed(2);
  publish(name, servers);
  const client = new FeedClient(`xds:///${name}`);
  const subscriber = client.subscribe();
  feed.append(3);
  await subscriber.seen(3);
  const here = (): FeedServer => servers.find(({ address }) => address === subscriber.last)!;
  return { feed, servers, client, subscriber, here };
}

test.each<[string, (server: FeedServer) => unknown]>([
  ['is killed', (server) => server.kill()],
  ['closes at once, as one of stock Nest', (server) => server.forceShutdown()],
  ['drains', (server) => server.endStreams({ code: Status.UNAVAILABLE }, { 'grpc-lb-stream-end': 'drain' })],
])('a stream goes on where it was if its server %s', async (how, leave) => {
  const { feed, subscriber, here } = await subscribed(how.replaceAll(/\W/g, '-'));
  await leave(here());
  feed.append(3);
  await subscriber.seen(6);
  expect(subscriber.error).toBeUndefined();
  expect(subscriber.numbers).toEqual(upTo(6));
});

test('a stream whose subscriber leaves does not begin again', async () => {
  const { subscriber, servers } = await subscribed('left');
  subscriber.subscription.unsubscribe();
  await eventually(() => servers.every(({ streams }) => streams.size === 0));
  expect(servers[0]!.begun + servers[1]!.begun).toBe(1);
});

test('a stream moves before the age that its server announces', async () => {
  const { feed, servers } = await startFeed(2);
  publish('aged', servers);
  for (const { behavior } of servers) behavior.metadata = { 'grpc-lb-stream-max-age-ms': '1000' };
  const client = new FeedClient('xds:///aged');
  const subscriber = client.subscribe();
  feed.append(3);
  await eventually(() => servers[0]!.begun + servers[1]!.begun >= 3);
  feed.append(3);
  await subscriber.seen(6);
  expect(subscriber.numbers).toEqual(upTo(6));
  expect(servers[0]!.streams.size + servers[1]!.streams.size).toBeLessThanOrEqual(2);
});
