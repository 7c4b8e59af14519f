import { GrpcService } from 'nestjs-grpc-lb';
import type { Observable } from 'rxjs';

interface Order {
  id: string;
}

interface Orders {
  find(request: { id: string }): Observable<Order>;
}

class OrdersClient extends GrpcService<Orders>() {}

declare const orders: OrdersClient;

// error: Property 'fnd' does not exist on type 'OrdersClient'
orders.fnd({ id: '1' });

// error: Type 'number' is not assignable to type 'string'
orders.find({ id: 1 });

// error: 'deadlin' does not exist in type
orders.find({ id: '1' }, { deadlin: 5 });

// error: Property 'name' does not exist on type 'Order'
orders.find({ id: '1' }).subscribe((order) => order.name);

// error: does not satisfy the constraint
class NotAService extends GrpcService<{ find(id: string): string }>() {}
