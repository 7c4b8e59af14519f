import { Module } from '@nestjs/common';
import { GrpcLbModule } from 'nestjs-grpc-lb';
import { grpcLbConfig } from 'nestjs-grpc-lb/config';
import { GrpcLbPrometheusModule } from 'nestjs-grpc-lb/prometheus';
import { HealthModule } from './health/health.module.js';
import { BackendsController } from './live/backends.controller.js';
import { EventLog } from './live/event-log.js';
import { LiveController } from './live/live.controller.js';
import { LiveService } from './live/live.service.js';
import { LoadService } from './load/load.service.js';
import { OrdersClient } from './orders.client.js';
import { phasesProvider } from './phases.js';
import { RunnerLink } from './runner-link.js';
import { StockOrdersModule } from './stock-orders.module.js';

@Module({
  imports: [
    StockOrdersModule,
    GrpcLbModule.forRootAsync(grpcLbConfig.asProvider()),
    GrpcLbModule.forFeature([OrdersClient]),
    GrpcLbPrometheusModule.forRoot({ defaultMetrics: true }),
    HealthModule,
  ],
  controllers: [LiveController, BackendsController],
  providers: [phasesProvider, LoadService, LiveService, EventLog, RunnerLink],
})
export class AppModule {}
