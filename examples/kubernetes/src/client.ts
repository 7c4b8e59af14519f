import 'reflect-metadata';
import { join } from 'node:path';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcLbClient, GrpcLbModule, GrpcService, HealthCheck } from 'nestjs-grpc-lb';
import { registerKubernetes } from 'nestjs-grpc-lb/kubernetes';
import type { Observable } from 'rxjs';

interface Order {
  id: string;
  servedBy: string;
}

interface Orders {
  find(request: { id: string }): Observable<Order>;
}

/** The pods of the Service `orders` in the namespace of this pod, at the port that the Service calls `grpc`. */
@GrpcLbClient({
  package: 'orders.v1',
  service: 'Orders',
  protoPath: join(import.meta.dirname, '../proto/orders.proto'),
  target: process.env['ORDERS_TARGET'] ?? 'kubernetes:///orders:grpc',
})
@HealthCheck({ service: 'orders.v1.Orders' })
class OrdersClient extends GrpcService<Orders>() {}

@Controller()
class AppController {
  constructor(private readonly orders: OrdersClient) {}

  @Get('orders/:id')
  find(@Param('id') id: string): Observable<Order> {
    return this.orders.find({ id }, { timeout: 2_000 });
  }

  /** May this pod get requests? The backends do not belong here: without them all pods would leave at once. */
  @Get('ready')
  ready(): string {
    return 'ready';
  }
}

@Module({
  imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient])],
  controllers: [AppController],
})
class AppModule {}

registerKubernetes();
const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? '3000', process.env['HOST'] ?? '127.0.0.1');
console.log(`client listens on ${await app.getUrl()}`);
