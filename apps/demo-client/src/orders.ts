import type { CallOptions, Metadata } from '@grpc/grpc-js';
import type {
  ChatMessage,
  FindRequest,
  Order,
  OrderLine,
  OrderUpdate,
  UploadReceipt,
  WatchRequest,
} from 'demo-server/orders';
import type { Observable } from 'rxjs';

/** The service as its callers see it. */
export interface Orders {
  find(request: FindRequest, metadata?: Metadata, options?: CallOptions): Observable<Order>;
  watch(request: WatchRequest, metadata?: Metadata, options?: CallOptions): Observable<OrderUpdate>;
  upload(lines: Observable<OrderLine>, metadata?: Metadata, options?: CallOptions): Observable<UploadReceipt>;
  chat(messages: Observable<ChatMessage>, metadata?: Metadata, options?: CallOptions): Observable<ChatMessage>;
}
