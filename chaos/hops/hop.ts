/** One service of a chain, in a process of its own: each call of it calls the next one. */
import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import { Controller, type DynamicModule, Inject, Module, Optional } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type ClientGrpc, ClientsModule, GrpcMethod, type GrpcOptions, Transport } from '@nestjs/microservices';
import { firstValueFrom, type Observable } from 'rxjs';
import { GrpcLbModule } from '../../libs/grpc-lb/src/index.js';
import { seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import { grpcServer } from '../../libs/grpc-lb/src/server/index.js';
import { now } from '../clock.js';
import type { Line } from '../echo.js';
import type { FromHop, HopRecord, HopSpec, ToHop } from './protocol.js';

const { port, next, balanced, work, last } = JSON.parse(process.argv[2]!) as HopSpec;
// From dist/chaos/chaos/hops, where this runs.
const protoPath = fileURLToPath(new URL('../../../../test/support/echo/echo.proto', import.meta.url));
const random = seededRandom(port);
const NEXT = 'NEXT';
const records: { -readonly [K in keyof HopRecord]: HopRecord[K] }[] = [];

interface Stub {
  say(line: Partial<Line>): Observable<Line>;
}

@Controller()
class EchoController {
  readonly #stub: Stub | undefined;

  constructor(@Optional() @Inject(NEXT) client?: ClientGrpc) {
    this.#stub = client?.getService<Stub>('Echo');
  }

  /** The text of a call is its number and its deadline. */
  @GrpcMethod('Echo', 'Say')
  async say(line: Line, metadata: Metadata, call: ServerUnaryCall<Line, Line>): Promise<Line> {
    const [number, deadline] = line.text.split(' ').map(Number) as [number, number];
    const record: (typeof records)[number] = {
      call: number,
      started: now() - deadline,
      cancelled: undefined,
      ended: undefined,
      criticality: metadata.get('x-criticality')[0] as string | undefined,
    };
    records.push(record);
    call.once('cancelled', () => (record.cancelled = now() - deadline));
    try {
      if (!this.#stub) {
        await delay(last);
        return line;
      }
      await delay(random() * work);
      return await firstValueFrom(this.#stub.say(line));
    } finally {
      record.ended = now() - deadline;
    }
  }
}

function clientModule(address: string): DynamicModule[] {
  const options = { package: 'echo.v1', protoPath, loader: { defaults: true } };
  if (balanced) {
    const item = { name: NEXT, options: { ...options, url: `static:///${address}` } };
    return [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([item])];
  }
  return [ClientsModule.register([{ name: NEXT, transport: Transport.GRPC, options: { ...options, url: address } }])];
}

@Module({ controllers: [EchoController], imports: next === undefined ? [] : clientModule(next) })
class AppModule {}

const transport: GrpcOptions = {
  transport: Transport.GRPC,
  options: { url: `127.0.0.1:${port}`, package: 'echo.v1', protoPath, loader: { defaults: true } },
};
const strategy = balanced ? grpcServer(transport, { drain: { delay: 0 } }) : transport;
const app = await NestFactory.createMicroservice(AppModule, { ...strategy, logger: false });
await app.listen();
const send = (message: FromHop): void => void process.send!(message);
process.on('disconnect', () => process.exit());
process.on('message', ({ type }: ToHop) => {
  if (type === 'report') send({ type: 'records', records });
});
send({ type: 'listening' });
