import type { GrpcLbRegistry, LbEvent } from 'nestjs-grpc-lb';
import { OrdersClient } from '../orders.js';

declare const registry: GrpcLbRegistry;
declare const event: LbEvent;

// error: Property 'client' does not exist on type 'ClientSnapshot[]'
registry.snapshot().client;

// error: Property 'length' does not exist on type 'ClientSnapshot'
registry.snapshot(OrdersClient).length;

// error: Cannot assign to 'state' because it is a read-only property
registry.snapshot('ORDERS').state = 'ready';

// error: Type '"fastest"' is not assignable to type
registry.configure('ORDERS', { policy: 'fastest' });

// error: 'sise' does not exist in type 'ConnectionPoolOptions'
registry.configure('ORDERS', { pool: { sise: 2 } });

// error: Argument of type 'number' is not assignable to parameter of type 'ClientRef'
registry.get(5);

// error: Property 'next' does not exist on type 'Observable<LbEvent>'
registry.events$.next(event);
