import { of } from 'rxjs';
import type { Item, OrdersClient } from '../orders.js';

declare const orders: OrdersClient;
declare const ids: AsyncIterable<{ id: string }>;

// error: Property 'id' is missing in type '{}'
orders.find({});

// error: 'uid' does not exist in type '{ id: string; }'
orders.find({ id: '1', uid: '2' });

// error: Property 'then' does not exist on type 'Observable<Order>'
orders.find({ id: '1' }).then();

// error: Type 'string' is not assignable to type 'number'
orders.find({ id: '1' }, { timeout: '5 s' });

// error: 'authorization' does not exist in type 'Metadata'
orders.find({ id: '1' }, { authorization: 'Bearer 1' }, { timeout: 5 });

// error: Property 'id' is missing in type 'Observable<{ id: string; }>'
orders.find(of({ id: '1' }));

// error: 'sku' does not exist in type 'RequestStream<Item>'
orders.place({ sku: 'a' });

// error: Property 'sku' is missing in type '{ id: string; }'
orders.place(of({ id: '1' }));

// error: 'id' does not exist in type 'Item'
orders.place([{ id: '1' }]);

// error: Property 'sku' is missing in type '{ id: string; }'
orders.bargain(ids);

// error: Argument of type 'Item' is not assignable to parameter of type 'RequestStream<Item>'
orders.bargain({ sku: 'a' } as Item);

// error: Cannot assign to 'find' because it is a read-only property
orders.find = orders.find;
