import { expect, test } from 'vitest';
import { seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { startFeed } from '../../support/streams/feed.js';
import { FeedClient, feedTarget, upTo } from '../../support/streams/subscriber.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const STREAMS = 100;
const ROUNDS = 8;

test.each([0, 1])(
  '100 streams, backends drained, ejected and killed at random; %i repeated: 0 lost, 0 doubled',
  async (overlap) => {
    const random = seededRandom(7 + overlap);
    const { feed, servers } = await startFeed(5, { withHealth: { '': 'SERVING' } });
    for (const { behavior } of servers) behavior.overlap = overlap;
    const client = await new FeedClient(feedTarget(servers), {}, { loadBalancing: { health: { service: '' } } }).ready(
      5,
    );
    const subscribers = Array.from({ length: STREAMS }, () => client.subscribe());
    const writing = setInterval(() => feed.append(1), 5);
    try {
      await eventually(() => subscribers.every(({ numbers }) => numbers.length > 0));
      for (let round = 0; round < ROUNDS; round++) {
        const server = servers[Math.floor(random() * servers.length)]!;
        const way = round % 3;
        if (way === 0) server.health!.setStatus('', 'NOT_SERVING');
        if (way === 1) client.handle.eject(server.address, 60_000);
        if (way === 2) await server.kill();
        await eventually(() => server.streams.size === 0);
        if (way === 0) server.health!.setStatus('', 'SERVING');
        if (way === 1) client.handle.restore(server.address);
        if (way === 2) await server.start();
        await client.ready(5);
      }
    } finally {
      clearInterval(writing);
    }
    await eventually(() => subscribers.every(({ numbers }) => numbers.length >= feed.length));
    for (const { numbers, error } of subscribers) {
      expect(error).toBeUndefined();
      expect(numbers).toEqual(upTo(feed.length));
    }
    const moved = servers.reduce((sum, { begun }) => sum + begun, 0) - STREAMS;
    expect(moved).toBeGreaterThan(STREAMS);
  },
);
