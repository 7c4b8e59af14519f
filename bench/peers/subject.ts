/**
 * One subject in a process of its own: makes unary calls with a fixed number under way, and reports the CPU time of
 * this process for each call, once it is warm.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type ClientGrpc, ClientsModule, Transport } from '@nestjs/microservices';
import { GrpcLbModule } from 'nestjs-grpc-lb';
import type { Observable } from 'rxjs';

interface Echo {
  say(line: { text: string }): Observable<{ text: string }>;
}

const [subject, proto, addresses, calls, concurrency, channelOptions = '{}'] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string?,
];

const options = { package: 'echo.v1', protoPath: proto };
const stock = (policy: string): ReturnType<typeof ClientsModule.register> =>
  ClientsModule.register([
    {
      name: 'ECHO',
      transport: Transport.GRPC,
      options: {
        ...options,
        url: `ipv4:${addresses}`,
        channelOptions: { 'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ [policy]: {} }] }) },
      },
    },
  ]);
const own = (policy: 'least_request' | 'adaptive' | 'round_robin'): unknown[] => [
  GrpcLbModule.forRoot(),
  GrpcLbModule.forFeature([
    {
      name: 'ECHO',
      options: {
        ...options,
        url: `static:///${addresses}`,
        loadBalancing: { policy },
        channelOptions: JSON.parse(channelOptions) as object,
      },
    },
  ]),
];

const imports = {
  'nest + grpc-js round_robin': () => [stock('round_robin')],
  'nest + grpc-js pick_first': () => [stock('pick_first')],
  'nestjs-grpc-lb least_request': () => own('least_request'),
  'nestjs-grpc-lb adaptive': () => own('adaptive'),
  'nestjs-grpc-lb round_robin': () => own('round_robin'),
}[subject];
if (!imports) throw new Error(`There is no subject "${subject}"`);

@Module({ imports: imports() as never })
class BenchModule {}

const app = await NestFactory.createApplicationContext(BenchModule, { logger: false });
const echo = app.get<ClientGrpc>('ECHO', { strict: false }).getService<Echo>('Echo');
const line = { text: 'a short line, as most requests are' };

async function call(count: number): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      await new Promise<void>((resolve, reject) => {
        echo.say(line).subscribe({ error: reject, complete: resolve });
      });
    }
  };
  await Promise.all(Array.from({ length: Number(concurrency) }, worker));
}

await call(Number(calls));
const before = process.cpuUsage();
const start = performance.now();
await call(Number(calls));
const { user, system } = process.cpuUsage(before);
const wall = performance.now() - start;
process.send!({ type: 'result', cpu: (user + system) / Number(calls), wall: (wall * 1000) / Number(calls) });
await app.close();
process.disconnect();
