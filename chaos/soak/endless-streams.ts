import { fileURLToPath } from 'node:url';
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, GrpcStreamMethod } from '@nestjs/microservices';
import { concat, finalize, NEVER, type Observable, of } from 'rxjs';
import { freePort } from 'nestjs-grpc-lb/testing';
import {
  type GrpcServerOptions,
  grpcServer,
  STREAM_END_KEY,
  type StreamEnd,
} from '../../libs/grpc-lb/src/server/index.js';
import { Echo, type Line } from '../echo.js';

/** Handlers that are subscribed. */
export const running = { handlers: 0 };

function endless(): Observable<object> {
  running.handlers++;
  return concat(of({ text: 'first' }), NEVER).pipe(finalize(() => running.handlers--));
}

@Controller()
class EndlessController {
  @GrpcMethod('Echo', 'Repeat')
  repeat(): Observable<object> {
    return endless();
  }

  @GrpcStreamMethod('Echo', 'Talk')
  talk(): Observable<object> {
    return endless();
  }
}

@Module({ controllers: [EndlessController] })
class EndlessModule {}

interface EndlessStub {
  Repeat(line: object): ClientReadableStream<Line>;
  Talk(): ClientDuplexStream<object, Line>;
  close(): void;
}

/** A Nest server in this process whose streams never end, with a client. */
export class EndlessServer {
  readonly stub: EndlessStub;

  private constructor(
    private readonly app: INestMicroservice,
    address: string,
  ) {
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    this.stub = new Echo(address, credentials.createInsecure(), options) as unknown as EndlessStub;
  }

  static async start(options: GrpcServerOptions): Promise<EndlessServer> {
    const url = `127.0.0.1:${await freePort()}`;
    // From dist/chaos/chaos/soak, where this runs.
    const protoPath = fileURLToPath(new URL('../../../../test/support/echo/echo.proto', import.meta.url));
    const transport = { options: { url, package: 'echo.v1', protoPath, loader: { defaults: true } } };
    const app = await NestFactory.createMicroservice(EndlessModule, {
      ...grpcServer(transport, options),
      logger: ['error'],
    });
    await app.listen();
    return new EndlessServer(app, url);
  }

  async close(): Promise<void> {
    await this.app.close();
    this.stub.close();
  }
}

/**
 * Opens streams, half of them bidirectional, and waits until all have ended.
 *
 * @throws Error if one ends in another way.
 */
export async function endedStreams(
  { stub }: EndlessServer,
  count: number,
  reason: StreamEnd,
  whenOpen: () => unknown = () => {},
): Promise<void> {
  const streams = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? stub.Repeat({}) : stub.Talk()));
  const ends = streams.map(
    (stream) => new Promise<ServiceError>((resolve) => stream.on('error', (error) => resolve(error as ServiceError))),
  );
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.once('data', resolve))));
  await whenOpen();
  for (const { code, metadata, message } of await Promise.all(ends)) {
    if (code !== status.UNAVAILABLE || metadata.get(STREAM_END_KEY)[0] !== reason) throw new Error(message);
  }
}
