import { eventually } from '../time/patience.js';
import { type Feed, type FeedServer, startFeed } from './feed.js';
import { FeedClient, feedTarget, type Subscriber } from './subscriber.js';

/** A stream of a feed that its client hedges after 20 ms, and its servers in the order in which they are asked. */
export interface HedgedStream {
  readonly feed: Feed;
  readonly client: FeedClient;
  readonly subscriber: Subscriber;
  readonly first: FeedServer;
  readonly second: FeedServer;
}

/** Resolves when the first server is asked. */
export async function startHedged(): Promise<HedgedStream> {
  const { feed, servers } = await startFeed(2);
  const hedge = { methods: { Repeat: { delay: 20 } } };
  const client = await new FeedClient(feedTarget(servers), {}, { loadBalancing: { hedge } }).ready(2);
  const subscriber = client.subscribe();
  await eventually(() => servers.some(({ begun }) => begun > 0));
  const first = servers.find(({ begun }) => begun > 0)!;
  const second = servers.find((server) => server !== first)!;
  return { feed, client, subscriber, first, second };
}
