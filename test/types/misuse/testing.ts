import { createFleet, mockClient } from 'nestjs-grpc-lb/testing';
import { OrdersClient } from '../orders.js';

// error: 'fnd' does not exist in type
void createFleet({ client: OrdersClient, handlers: { fnd: () => ({}) } });

// error: Type 'number' is not assignable to type 'string'
void createFleet({ client: OrdersClient, handlers: { find: () => ({ id: 7 }) } });

// error: Property 'name' does not exist on type
void createFleet({ client: OrdersClient, handlers: { find: ({ name }) => ({ id: name }) } });

const fleet = await createFleet({ client: OrdersClient, backends: 3 });

// error: is not assignable to parameter of type
fleet[1].fail('UNAVAILABEL');

// error: 'fnd' does not exist in type
mockClient(OrdersClient, { fnd: () => ({}) });

const orders = mockClient(OrdersClient, { find: ({ id }) => ({ id }) });

// error: Property 'name' does not exist on type
orders.find.calls.map(({ request }) => request.name);
