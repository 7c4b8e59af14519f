import 'reflect-metadata';
import { join } from 'node:path';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod } from '@nestjs/microservices';
import { grpcServer } from 'nestjs-grpc-lb/server';

const url = `${process.env['HOST'] ?? '127.0.0.1'}:${process.env['PORT'] ?? '50051'}`;

@Controller()
class OrdersController {
  @GrpcMethod('Orders', 'Find')
  find({ id }: { id: string }): { id: string; servedBy: string } {
    return { id, servedBy: url };
  }
}

@Module({ controllers: [OrdersController] })
class ServerModule {}

const protoPath = join(import.meta.dirname, '../proto/orders.proto');
const server = grpcServer({ options: { url, package: 'orders.v1', protoPath } });
const app = await NestFactory.createMicroservice(ServerModule, { ...server, logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen();
console.log(`orders listens on ${url}`);
