import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcLbModule } from 'nestjs-grpc-lb';
import { startBackend } from './backend.js';
import { FeedClient } from './feed.client.js';
import { PORTS } from './ports.js';

@Module({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([FeedClient])] })
class AppModule {}

const backends = await Promise.all(PORTS.map(startBackend));
const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });

let messages = 0;
let last = 0;
let faults = 0;
const moves: string[] = [];
let firstMessage = (): void => {};
const hasBegun = new Promise<void>((resolve) => (firstMessage = resolve));
const stream = app
  .get(FeedClient)
  .watch({ after: 0 })
  .subscribe({
    next: ({ revision, servedBy }) => {
      messages += 1;
      // Each revision comes once, and in order.
      if (revision !== last + 1) faults += 1;
      last = revision;
      if (moves.at(-1) !== servedBy) {
        moves.push(servedBy);
        console.log(`revision ${revision} comes from ${servedBy}`);
      }
      firstMessage();
    },
    error: (error: unknown) => {
      faults += 1;
      console.error('the stream has ended', error);
    },
  });
await hasBegun;

for (const [i, port] of PORTS.entries()) {
  console.log(`restarting 127.0.0.1:${port}`);
  await backends[i].close();
  backends[i] = await startBackend(port);
}
const restarted = last;
while (last < restarted + 10) await new Promise((resolve) => setTimeout(resolve, 10));

stream.unsubscribe();
console.log(JSON.stringify({ messages, last, faults, backends: new Set(moves).size }));
await app.close();
await Promise.all(backends.map((backend) => backend.close()));
process.exitCode = faults === 0 ? 0 : 1;
