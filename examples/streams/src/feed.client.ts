import { join } from 'node:path';
import { GrpcLbClient, GrpcService, HealthCheck, Resumable } from 'nestjs-grpc-lb';
import type { Feed } from './feed.js';
import { PORTS } from './ports.js';

/** A stream of `watch` goes on at another backend, after the last revision that was delivered. */
@GrpcLbClient({
  package: 'feed.v1',
  service: 'Feed',
  protoPath: join(import.meta.dirname, '../proto/feed.proto'),
  target: `static:///${PORTS.map((port) => `127.0.0.1:${port}`).join(',')}`,
})
@HealthCheck({ service: 'feed.v1.Feed' })
@Resumable<Feed, number>({
  method: 'watch',
  token: (change) => change.revision,
  resume: (request, token) => ({ ...request, after: token }),
})
export class FeedClient extends GrpcService<Feed>() {}
