import { join } from 'node:path';
import { GrpcLbClient, GrpcService, HealthCheck } from 'nestjs-grpc-lb';
import type { Observable } from 'rxjs';

export interface Order {
  id: string;
  servedBy: string;
}

export interface Orders {
  find(request: { id: string }): Observable<Order>;
}

@GrpcLbClient({
  package: 'orders.v1',
  service: 'Orders',
  protoPath: join(import.meta.dirname, '../../../proto/orders.proto'),
  target: process.env['ORDERS_TARGET'] ?? 'dns:///orders:50051',
})
@HealthCheck({ service: 'orders.v1.Orders' })
export class OrdersClient extends GrpcService<Orders>() {}
