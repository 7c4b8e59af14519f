import 'reflect-metadata';
import { join } from 'node:path';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod } from '@nestjs/microservices';
import { grpcServer } from 'nestjs-grpc-lb/server';
import type { FindRequest, Order } from './gen/orders.js';

const url = `127.0.0.1:${process.env['PORT'] ?? '50051'}`;

@Controller()
class OrdersController {
  @GrpcMethod('Orders', 'Find')
  find({ id }: FindRequest): Order {
    return { id, servedBy: url };
  }
}

@Module({ controllers: [OrdersController] })
class ServerModule {}

// Nest's servers read the proto file by proto-loader. The types are those of the generated code all the same.
const protoPath = join(import.meta.dirname, '../proto/orders.proto');
const server = grpcServer({ options: { url, package: 'orders.v1', protoPath } });
const app = await NestFactory.createMicroservice(ServerModule, { ...server, logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen();
console.log(`orders listens on ${url}`);
