import { type DynamicModule, Module } from '@nestjs/common';
import { GrpcServerModule } from 'nestjs-grpc-lb/server';
import { Leaving } from './leaving.js';
import { OrdersController } from './orders.controller.js';
import type { Settings } from './settings.js';
import { ADDRESS } from './tokens.js';
import { WorkerPool } from './worker-pool.js';
import { Workload } from './workload.js';

@Module({})
export class AppModule {
  static with(settings: Settings, address: string): DynamicModule {
    return {
      module: AppModule,
      imports: [GrpcServerModule.forRoot()],
      controllers: [OrdersController],
      providers: [
        Leaving,
        { provide: ADDRESS, useValue: address },
        { provide: WorkerPool, useValue: new WorkerPool(settings.slots) },
        { provide: Workload, useValue: new Workload(settings) },
      ],
    };
  }
}
