import { createRequire } from 'node:module';
import { Module } from '@nestjs/common';
import { ClientsModule, Transport } from '@nestjs/microservices';
import { settings } from './settings.js';

/** Token of the client that Nest itself creates. */
export const STOCK_ORDERS = 'STOCK_ORDERS';

/**
 * What Nest offers today: one `ClientGrpc`, all addresses behind one name. grpc-js resolves the name to all of them and
 * uses pick_first, its default.
 */
@Module({
  imports: [
    ClientsModule.register([
      {
        name: STOCK_ORDERS,
        transport: Transport.GRPC,
        options: {
          package: 'orders.v1',
          protoPath: createRequire(import.meta.url).resolve('demo-server/orders.proto'),
          url: `ipv4:${settings.addresses.join(',')}`,
        },
      },
    ]),
  ],
  exports: [ClientsModule],
})
export class StockOrdersModule {}
