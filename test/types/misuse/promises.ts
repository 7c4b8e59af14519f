import { GrpcPromiseService, promises, type PromisesOf, responses } from 'nestjs-grpc-lb';
import { type Orders, OrdersClient } from '../orders.js';

declare const observables: OrdersClient;

// error: Type 'Observable<Order>' is not assignable to type 'AsyncIterable<unknown> | Promise<unknown>'
class Unnamed extends GrpcPromiseService<Orders>() {}

// error: Type '"wach"' does not satisfy the constraint 'keyof Orders'
class Misspelled extends GrpcPromiseService<PromisesOf<Orders, 'wach'>>() {}

class Promised extends GrpcPromiseService<PromisesOf<Orders, 'watch' | 'bargain'>>() {}
declare const orders: Promised;

// error: Property 'id' is missing in type '{}'
void orders.find({});

// error: Property 'fnd' does not exist on type 'Promised'
void orders.fnd({ id: '1' });

// error: Type 'string' is not assignable to type 'number'
void orders.find({ id: '1' }, { timeout: '5 s' });

// error: Property 'subscribe' does not exist on type 'Promise<Order>'
orders.find({ id: '1' }).subscribe();

// error: Type 'Promise<Order>' must have a '[Symbol.asyncIterator]()' method
for await (const order of orders.find({ id: '1' })) void order;

// error: Property 'total' does not exist on type 'AsyncIterableIterator<Order>'
(await orders.watch({})).total;

// error: Property 'sum' does not exist on type 'Order'
(await promises(observables).find({ id: '1' })).sum;

// error: Property 'total' does not exist on type 'GrpcLbResponse<Order>'
(await responses(observables).find({ id: '1' })).total;

// error: Property 'watch' does not exist on type 'ResponseClient<Promised>'
void responses(orders).watch({});
