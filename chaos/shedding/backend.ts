/** A Nest backend in a process of its own, each of whose calls blocks the event loop: with the server side, or without. */
import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type GrpcOptions, GrpcMethod, Transport } from '@nestjs/microservices';
import { grpcServer } from '../../libs/grpc-lb/src/server/index.js';
import type { Line } from '../echo.js';
import type { BackendSpec, FromShedding } from './protocol.js';

const { port, block, sheds } = JSON.parse(process.argv[2]!) as BackendSpec;
// From dist/chaos/chaos/shedding, where this runs.
const protoPath = fileURLToPath(new URL('../../../../test/support/echo/echo.proto', import.meta.url));
const nothing = new Int32Array(new SharedArrayBuffer(4));
/** A call that begins so soon after the last one has waited for it. */
const IN_A_ROW_MS = 5;
let ended = 0;
let late = 0;

/** Blocks as work does. What a busy machine wakes it too late, the next call in the row is shorter. */
function work(): void {
  const began = performance.now();
  const owed = began - ended < IN_A_ROW_MS ? Math.min(late, block / 2) : 0;
  Atomics.wait(nothing, 0, 0, block - owed);
  ended = performance.now();
  late = ended - began - (block - owed);
}

@Controller()
class EchoController {
  @GrpcMethod('Echo', 'Say')
  say(line: Line): Line {
    work();
    return line;
  }
}

@Module({ controllers: [EchoController] })
class AppModule {}

const transport: GrpcOptions = {
  transport: Transport.GRPC,
  options: { url: `127.0.0.1:${port}`, package: 'echo.v1', protoPath, loader: { defaults: true } },
};
const strategy = sheds ? grpcServer(transport, { shedding: true, drain: { delay: 0 } }) : transport;
const app = await NestFactory.createMicroservice(AppModule, { ...strategy, logger: false });
await app.listen();
process.on('disconnect', () => process.exit());
process.send!({ type: 'listening' } satisfies FromShedding);
