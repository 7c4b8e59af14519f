import { join } from 'node:path';
import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod } from '@nestjs/microservices';
import { grpcServer } from 'nestjs-grpc-lb/server';
import { interval, map, mergeMap, range, startWith } from 'rxjs';
import type { Change, Feed, WatchRequest } from './feed.js';

/** There is a new revision each 10 ms. All backends know all of them, as if they read one database. */
const began = Date.now();
const newest = (): number => Math.floor((Date.now() - began) / 10);

/** Starts a backend. Its `close()` drains it, as SIGTERM does in a pod: streams get time to move before they end. */
export async function startBackend(port: number): Promise<INestMicroservice> {
  const url = `127.0.0.1:${port}`;

  @Controller()
  class FeedController implements Feed {
    @GrpcMethod('Feed', 'Watch')
    watch({ after = 0 }: WatchRequest) {
      let sent = after;
      return interval(10).pipe(
        startWith(0),
        mergeMap(() => {
          const first = sent + 1;
          sent = Math.max(sent, newest());
          return range(first, sent - first + 1);
        }),
        map((revision): Change => ({ revision, servedBy: url })),
      );
    }
  }

  @Module({ controllers: [FeedController] })
  class BackendModule {}

  const protoPath = join(import.meta.dirname, '../proto/feed.proto');
  const server = grpcServer({ options: { url, package: 'feed.v1', protoPath } });
  const app = await NestFactory.createMicroservice(BackendModule, { ...server, logger: ['error'] });
  await app.listen();
  return app;
}
