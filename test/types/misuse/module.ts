import { GrpcLbModule, leastRequest } from 'nestjs-grpc-lb';
import { OrdersClient } from '../orders.js';

const options = { package: 'orders.v1', protoPath: 'orders.proto', target: 'dns:///orders:50051' };

// error: Argument of type 'typeof OrdersClient' is not assignable
GrpcLbModule.forFeature(OrdersClient);

// error: Type 'string' is not assignable to type
GrpcLbModule.forFeature(['ORDERS']);

// error: Property 'name' is missing
GrpcLbModule.forFeature([{ options }]);

// error: 'url' does not exist in type
GrpcLbModule.forFeature([{ name: 'ORDERS', url: 'orders:50051', options }]);

// error: 'choiceCont' does not exist in type
GrpcLbModule.forFeature([
  { name: 'ORDERS', options: { ...options, loadBalancing: { policy: { name: 'least_request', choiceCont: 2 } } } },
]);

// error: 'global' does not exist in type 'GrpcLbFeatureOptions'
GrpcLbModule.forFeature([OrdersClient], { global: true });

// error: 'loadBalancng' does not exist in type 'GrpcLbModuleOptions'
GrpcLbModule.forRoot({ loadBalancng: { policy: leastRequest() } });

// error: 'taget' does not exist in type 'GrpcLbClientOverrides'
GrpcLbModule.forRoot({ overrides: { ORDERS: { taget: 'orders:50051' } } });

// error: Property 'createGrpcLbModuleOptions' is missing in type 'OrdersClient'
GrpcLbModule.forRootAsync({ useClass: OrdersClient });

// error: Type 'typeof OrdersClient' is not assignable to type 'undefined'
GrpcLbModule.forFeatureAsync({ name: 'ORDERS', client: OrdersClient, useFactory: () => options });

// error: Property 'name' is missing in type
GrpcLbModule.forFeatureAsync({ useFactory: () => options });

// error: Type 'number' is not assignable to type 'string'
GrpcLbModule.forFeatureAsync({ name: 'ORDERS', useFactory: () => ({ ...options, target: 50051 }) });
