import {
  GrpcLbClient,
  type GrpcLbPromiseMethod,
  GrpcPromiseService,
  GrpcService,
  Resumable,
  type ServiceOf,
} from 'nestjs-grpc-lb';
import { mockClient } from 'nestjs-grpc-lb/testing';
import { EsOrders, type FindRequest, type Order, OrdersDefinition, OrdersService } from '../definitions.js';

class GrpcJs extends GrpcService(OrdersService) {}
class Generic extends GrpcService(OrdersDefinition) {}
class Es extends GrpcService(EsOrders) {}

class PromisedGrpcJs extends GrpcPromiseService(OrdersService) {}
class PromisedGeneric extends GrpcPromiseService(OrdersDefinition) {}
class PromisedEs extends GrpcPromiseService(EsOrders) {}

declare const grpcJs: GrpcJs;
declare const generic: Generic;
declare const es: Es;
declare const promisedGrpcJs: PromisedGrpcJs;
declare const promisedGeneric: PromisedGeneric;
declare const promisedEs: PromisedEs;

// error: Property 'fnd' does not exist on type 'GrpcJs'
grpcJs.fnd({ id: '1', userId: '', since: undefined });

// error: Property 'since' is missing in type
grpcJs.find({ id: '1', userId: '' });

// error: Type 'number' is not assignable to type 'string'
grpcJs.find({ id: 1, userId: '', since: undefined });

// error: No overload matches this call
grpcJs.bargain({ id: '1', total: 1n, tags: [] });

// error: Property 'name' does not exist on type 'Order'
grpcJs.find({ id: '1', userId: '', since: undefined }).subscribe((order) => order.name);

// error: Property 'fnd' does not exist on type 'Generic'
generic.fnd({ id: '1' });

// error: Type 'number' is not assignable to type 'string'
generic.find({ id: 1 });

// error: 'idd' does not exist in type
generic.find({ idd: '1' });

// error: Property 'name' does not exist on type 'Order'
generic.find({ id: '1' }).subscribe((order) => order.name);

// error: Property 'fnd' does not exist on type 'Es'
es.fnd({ id: '1' });

// error: Type 'number' is not assignable to type 'string'
es.find({ id: 1 });

// error: 'idd' does not exist in type
es.find({ idd: '1' });

// error: Type 'number' is not assignable to type 'bigint'
es.bargain([{ id: '1', total: 1 }]);

// error: is not assignable to type
es.find({ payment: { case: 'cash', value: '1' } });

// error: Property 'name' does not exist on type 'EsOrder'
es.find({ id: '1' }).subscribe((order) => order.name);

// error: is not assignable to
GrpcService('Orders');

// error: is not assignable to type
@GrpcLbClient({ definition: 'Orders', target: 'dns:///orders:50051' })
class NoDefinition extends GrpcService<ServiceOf<typeof EsOrders>>() {}

// error: Type '"fnd"' is not assignable to type
@Resumable<ServiceOf<typeof EsOrders>>({ method: 'fnd', token: () => '', resume: (request) => request })
class NotResumable extends GrpcService(EsOrders) {}

// error: Type 'number' is not assignable to type 'string'
mockClient(Generic, { find: ({ id }) => ({ id: id.length }) });

// error: Property 'since' is missing in type
void promisedGrpcJs.find({ id: '1', userId: '' });

// error: Property 'subscribe' does not exist on type 'Promise<Order>'
promisedGrpcJs.find({ id: '1', userId: '', since: undefined }).subscribe();

// error: Type 'GrpcLbStreamMethod<FindRequest, Order>' is not assignable to type 'GrpcLbPromiseMethod<FindRequest, Order>'
const oneOrder: GrpcLbPromiseMethod<FindRequest, Order> = promisedGrpcJs.watch;

// error: Property 'fnd' does not exist on type 'PromisedGeneric'
void promisedGeneric.fnd({ id: '1' });

// error: Type 'Promise<Order>' must have a '[Symbol.asyncIterator]()' method
for await (const order of promisedGeneric.find({ id: '1' })) void order;

// error: Property 'total' does not exist on type 'AsyncIterableIterator<Order>'
promisedGeneric.bargain([{ id: '1' }]).total;

// error: Type 'number' is not assignable to type 'bigint'
void promisedEs.place([{ id: '1', total: 1 }]);

// error: is not assignable to
GrpcPromiseService('Orders');
