import { type DynamicModule, Module } from '@nestjs/common';
import { GrpcServerMetrics } from 'nestjs-grpc-lb/prometheus';
import { GrpcServerModule } from 'nestjs-grpc-lb/server';
import { Leaving } from './leaving.js';
import { MetricsPage } from './metrics-page.js';
import { OrdersController } from './orders.controller.js';
import type { Settings } from './settings.js';
import { ADDRESS, METRICS_PORT } from './tokens.js';
import { WorkerPool } from './worker-pool.js';
import { Workload } from './workload.js';

@Module({})
export class AppModule {
  static with(settings: Settings, address: string): DynamicModule {
    return {
      module: AppModule,
      imports: [GrpcServerModule.forRoot({ observer: new GrpcServerMetrics() })],
      controllers: [OrdersController],
      providers: [
        Leaving,
        MetricsPage,
        { provide: METRICS_PORT, useValue: settings.metricsPort },
        { provide: ADDRESS, useValue: address },
        { provide: WorkerPool, useValue: new WorkerPool(settings.slots) },
        { provide: Workload, useValue: new Workload(settings) },
      ],
    };
  }
}
