import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type ClientGrpcProxy, ClientProxyFactory, Transport } from '@nestjs/microservices';
import { grpcServer } from 'nestjs-grpc-lb/server';
import type { ChatMessage, Order, OrderLine, OrderUpdate, UploadReceipt } from 'demo-server/orders';
import { firstValueFrom, from, lastValueFrom, NEVER, type Observable, toArray } from 'rxjs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppModule } from './app.module.js';
import { WorkerPool } from './worker-pool.js';
import { Workload } from './workload.js';

interface Orders {
  find(request: { id: string }, metadata?: undefined, options?: { deadline: number }): Observable<Order>;
  watch(request: { id: string; count?: number; everyMs?: number }): Observable<OrderUpdate>;
  upload(lines: Observable<OrderLine>): Observable<UploadReceipt>;
  chat(messages: Observable<ChatMessage>): Observable<ChatMessage>;
}

const ADDRESS = 'backend-7';
const protoPath = createRequire(import.meta.url).resolve('demo-server/orders.proto');

let directory: string;
let app: INestMicroservice;
let client: ClientGrpcProxy;
let orders: Orders;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'demo-server-'));
  // A socket in a separate directory: no port that another test could take.
  const url = `unix:${join(directory, 'socket')}`;
  const settings = { port: 0, slots: 1, delayMs: 0, factor: 1, errorRate: 0, metricsPort: 0 };
  app = await NestFactory.createMicroservice(AppModule.with(settings, ADDRESS), {
    ...grpcServer({ options: { package: 'orders.v1', protoPath, url } }),
    logger: false,
  });
  await app.listen();
  client = ClientProxyFactory.create({
    transport: Transport.GRPC,
    options: { package: 'orders.v1', protoPath, url },
  }) as ClientGrpcProxy;
  orders = client.getService<Orders>('Orders');
});

afterEach(async () => {
  client.close();
  await app.close();
  await rm(directory, { recursive: true });
});

test('Find answers with the name of its backend', async () => {
  expect(await lastValueFrom(orders.find({ id: '1' }))).toEqual({ id: '1', servedBy: ADDRESS });
});

test('a fault is UNAVAILABLE, with the name of the backend in a trailer', async () => {
  app.get(Workload).turn({ errorRate: 1 });
  const error = await lastValueFrom(orders.find({ id: '1' })).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: status.UNAVAILABLE });
  expect((error as { metadata: { get(key: string): unknown } }).metadata.get('served-by')).toEqual([ADDRESS]);
});

test('a caller that gives up frees its slot', async () => {
  app.get(Workload).turn({ delayMs: 60_000 });
  const call = orders.find({ id: '1' }).subscribe({ error: () => {} });
  const workers = app.get(WorkerPool);
  await expect.poll(() => workers.inFlight).toBe(1);
  call.unsubscribe();
  await expect.poll(() => workers.inFlight).toBe(0);
});

test('Watch sends as many updates as asked for', async () => {
  const updates = await lastValueFrom(orders.watch({ id: '1', count: 3, everyMs: 1 }).pipe(toArray()));
  expect(updates.map((update) => update.sequence)).toEqual([0, 1, 2]);
  expect(updates.every((update) => update.servedBy === ADDRESS)).toBe(true);
});

test('Upload sums up what was sent', async () => {
  const lines = from([
    { sku: 'a', quantity: 2 },
    { sku: 'b', quantity: 3 },
  ]);
  expect(await lastValueFrom(orders.upload(lines))).toEqual({ lines: 2, quantity: 5, servedBy: ADDRESS });
});

test('Chat answers each message', async () => {
  const answers = await lastValueFrom(orders.chat(from([{ text: 'a' }, { text: 'b' }])).pipe(toArray()));
  expect(answers).toEqual([
    { text: 'a', servedBy: ADDRESS },
    { text: 'b', servedBy: ADDRESS },
  ]);
});

test('a backend that shuts down ends its endless streams', async () => {
  const watch = orders.watch({ id: '1', everyMs: 1 });
  const all = lastValueFrom(watch.pipe(toArray()));
  const chat = lastValueFrom(orders.chat(NEVER), { defaultValue: 'ended' });
  await firstValueFrom(watch);
  await app.close();
  expect((await all).length).toBeGreaterThan(0);
  expect(await chat).toBe('ended');
});
