import type { Observable } from 'rxjs';
import type { FindRequest, Order } from '../orders.js';

export interface OrdersClient {
  find(request: FindRequest): Observable<Order>;
  watch(request: FindRequest): Observable<Order>;
}
export { OrdersService } from '../grpc-js/orders.js';
