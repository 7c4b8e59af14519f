import type { Observable } from 'rxjs';
import { GrpcLbClient, GrpcService } from 'nestjs-grpc-lb';

export interface Order {
  id: string;
  total: number;
}

export interface Item {
  sku: string;
}

/** A service with all four kinds of calls, as a user or a generator writes it. */
export interface Orders {
  find(request: { id: string }): Observable<Order>;
  watch(request: { since?: Date }): Observable<Order>;
  place(items: Observable<Item>): Observable<Order>;
  bargain(items: Observable<Item>): Observable<Order>;
}

@GrpcLbClient({ package: 'orders.v1', service: 'Orders', protoPath: 'orders.proto', target: 'dns:///orders:50051' })
export class OrdersClient extends GrpcService<Orders>() {}
