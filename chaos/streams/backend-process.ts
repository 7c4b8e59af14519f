/** A Nest microservice with the server side, which has the logs of `schedule`. On SIGTERM it drains, and ends. */
import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod } from '@nestjs/microservices';
import { Observable } from 'rxjs';
import { freePort } from 'nestjs-grpc-lb/testing';
import { grpcServer } from '../../libs/grpc-lb/src/server/index.js';
import { now } from '../clock.js';
import type { FromLogBackend, LogBackendArguments } from './protocol.js';
import { lastOf } from './schedule.js';

/** How often new messages are looked for. */
const TICK_MS = 5;

const args = JSON.parse(process.argv[2]!) as LogBackendArguments;
const { schedule, maxStreamAge } = args;
const port = args.port || (await freePort());

interface Tail {
  readonly log: number;
  sent: number;
  send(number: number): void;
}

const tails = new Set<Tail>();

function catchUp(tail: Tail): void {
  for (const last = lastOf(schedule, tail.log, now()); tail.sent < last;) tail.send(++tail.sent);
}

setInterval(() => {
  for (const tail of tails) catchUp(tail);
}, TICK_MS).unref();

@Controller()
class LogController {
  @GrpcMethod('Log', 'Tail')
  tail({ log, after }: { readonly log: number; readonly after: number }): Observable<object> {
    return new Observable((subscriber) => {
      const tail: Tail = { log, sent: after, send: (number) => subscriber.next({ number, server: port }) };
      tails.add(tail);
      catchUp(tail);
      return () => tails.delete(tail);
    });
  }

  @GrpcMethod('Log', 'Ping')
  ping(): object {
    return {};
  }
}

@Module({ controllers: [LogController] })
class LogModule {}

// From dist/chaos/chaos/streams, where this runs.
const protoPath = fileURLToPath(new URL('../../../../chaos/streams/log.proto', import.meta.url));
const url = `127.0.0.1:${port}`;
const options = { url, package: 'chaos.v1', protoPath, loader: { defaults: true } };
const drain = { delay: 300, streamGrace: 2000, streamSpread: 1000, timeout: 8000 };
const app = await NestFactory.createMicroservice(LogModule, {
  ...grpcServer({ options }, { drain, ...(maxStreamAge !== undefined && { maxStreamAge }) }),
  logger: ['warn', 'error'],
});
app.enableShutdownHooks();
// The runner is gone.
process.on('disconnect', () => process.exit());
await app.listen();
process.send!({ type: 'listening', port } satisfies FromLogBackend);
