import 'reflect-metadata';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { grpcServer } from 'nestjs-grpc-lb/server';
import { OrdersModule } from './orders.module.js';

const url = `127.0.0.1:${process.env['PORT'] ?? '50051'}`;
// As deep below the root folder as this file's source, so that both find it.
const protoPath = join(import.meta.dirname, '../../../proto/orders.proto');

const server = grpcServer({ options: { url, package: 'orders.v1', protoPath } });
const app = await NestFactory.createMicroservice(OrdersModule, { ...server, logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen();
console.log(`orders listens on ${url}`);
