import 'reflect-metadata';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcLbModule, GrpcLbRegistry } from 'nestjs-grpc-lb';
import { firstValueFrom } from 'rxjs';
import type { Order } from './gen/orders.js';
import { OrdersClient } from './orders.client.js';

@Module({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient])] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
const orders = app.get(OrdersClient);

// All its calls take some milliseconds, so it waits until every server is connected. An application that stays need not.
const registry = app.get(GrpcLbRegistry);
const allAreReady = (): boolean => {
  const { endpoints } = registry.snapshot(OrdersClient);
  return endpoints.length > 0 && endpoints.every(({ state }) => state === 'ready');
};
while (!allAreReady()) await sleep(10);

const find = (id: string): Promise<Order> => firstValueFrom(orders.find({ id }, { timeout: 2_000 }));

const counts: Record<string, number> = {};
for (let round = 0; round < 6; round++) {
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => find(String(i))));
  for (const { servedBy } of answers) counts[servedBy] = (counts[servedBy] ?? 0) + 1;
}
await app.close();

// What parses proto files at run time are packages of CommonJS, so they would be in this cache.
const loaded = Object.keys(createRequire(import.meta.url).cache);
const parsers = loaded.filter((path) => /[\\/](proto-loader|protobufjs)[\\/]/.test(path));
console.log(`modules of proto-loader in the client: ${parsers.length}`);
console.log(JSON.stringify(counts));
