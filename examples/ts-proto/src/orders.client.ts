import { GrpcLbClient, GrpcService, HealthCheck } from 'nestjs-grpc-lb';
import { OrdersDefinition } from './gen/orders.js';

/** Its methods, their types and its messages come from the definition. */
@GrpcLbClient({ target: process.env['ORDERS_TARGET'] ?? 'dns:///orders:50051' })
@HealthCheck({ service: OrdersDefinition.fullName })
export class OrdersClient extends GrpcService(OrdersDefinition) {}
