import { Metadata } from '@grpc/grpc-js';
import type { FactoryProvider } from '@nestjs/common';
import type { ClientGrpc } from '@nestjs/microservices';
import { GrpcLbRegistry } from 'nestjs-grpc-lb';
import { type Phase, PHASES } from './load/phase.js';
import { OrdersClient } from './orders.client.js';
import type { Orders } from './orders.js';
import { settings } from './settings.js';
import { STOCK_ORDERS } from './stock-orders.module.js';

/** The same calls twice: with Nest's own client, and with the balanced one. */
export const phasesProvider: FactoryProvider<Phase[]> = {
  provide: PHASES,
  inject: [STOCK_ORDERS, OrdersClient, GrpcLbRegistry],
  useFactory: (client: ClientGrpc, orders: OrdersClient, registry: GrpcLbRegistry): Phase[] => {
    const stockOrders = client.getService<Orders>('Orders');
    const stock: Phase = {
      key: 'nest-default',
      title: 'Plain Nest',
      policy: 'pick_first',
      seconds: settings.baselineSeconds,
      find: (id, options) => stockOrders.find({ id }, new Metadata(), options),
      endpoints: () => null,
    };
    const balanced: Phase = {
      key: 'balanced',
      title: 'Balanced by nestjs-grpc-lb',
      policy: registry.snapshot(OrdersClient).loadBalancing?.policy.name ?? 'unknown',
      seconds: settings.balancedSeconds,
      find: (id, options) => orders.find({ id }, options),
      endpoints: () => registry.snapshot(OrdersClient).endpoints,
    };
    return settings.baselineSeconds === 0 ? [balanced] : [stock, balanced];
  },
};
