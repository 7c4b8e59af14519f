import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod } from '@nestjs/microservices';
import { NEVER, type Observable } from 'rxjs';
import { grpcServer } from '../../../libs/grpc-lb/src/server/index.js';
import { freePort } from '../../../libs/grpc-lb/src/testing/index.js';

// A microservice in a separate process, with `grpcServer()`; it ends on a signal.

const [protoPath, drainDelay] = process.argv.slice(2);

interface Line {
  text: string;
}

@Controller()
class EchoController {
  @GrpcMethod('Echo', 'Say')
  async say(line: Line): Promise<Line> {
    await delay(20);
    return line;
  }

  @GrpcMethod('Echo', 'Repeat')
  repeat(): Observable<Line> {
    return NEVER;
  }
}

@Module({ controllers: [EchoController] })
class AppModule {}

const url = `127.0.0.1:${await freePort()}`;
const options = { url, package: 'echo.v1', protoPath: protoPath!, loader: { defaults: true } };
const server = grpcServer({ options }, { reflection: true, drain: { delay: Number(drainDelay), streamGrace: 100 } });
const app = await NestFactory.createMicroservice(AppModule, { ...server, logger: false });
app.enableShutdownHooks();
await app.listen();
process.stdout.write(`listening on ${url}\n`);
