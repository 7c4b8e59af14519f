import { createRequire } from 'node:module';
import { GrpcLbClient, GrpcService, LeastRequest } from 'nestjs-grpc-lb';
import type { Orders } from './orders.js';

/** The target is a single local backend; the environment names the real ones (`GRPC_LB_ORDERS_CLIENT_TARGET`). */
@GrpcLbClient({
  package: 'orders.v1',
  service: 'Orders',
  protoPath: createRequire(import.meta.url).resolve('demo-server/orders.proto'),
  target: 'static:///127.0.0.1:50051',
})
@LeastRequest()
export class OrdersClient extends GrpcService<Orders>() {}
