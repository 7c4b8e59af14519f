import { Module } from '@nestjs/common';
import { GrpcLbModule } from 'nestjs-grpc-lb';
import { grpcLbConfig } from 'nestjs-grpc-lb/config';
import { GrpcLbPrometheusModule } from 'nestjs-grpc-lb/prometheus';
import { GrpcLbConsoleModule } from 'nestjs-grpc-lb/console';
import { HealthModule } from './health/health.module.js';
import { LoadService } from './load/load.service.js';
import { OrdersClient } from './orders.client.js';
import { PageGuard } from './page-guard.js';
import { BackendsController } from './panel/backends.controller.js';
import { ClickVerdict } from './panel/click-verdict.js';
import { FramesService } from './panel/frames.service.js';
import { PanelController } from './panel/panel.controller.js';
import { phasesProvider } from './phases.js';
import { RunnerLink } from './runner-link.js';
import { StockOrdersModule } from './stock-orders.module.js';

@Module({
  imports: [
    StockOrdersModule,
    GrpcLbModule.forRootAsync(grpcLbConfig.asProvider()),
    GrpcLbModule.forFeature([OrdersClient]),
    GrpcLbPrometheusModule.forRoot({ defaultMetrics: true }),
    // The page of the demo is the console, with a part of its own.
    GrpcLbConsoleModule.forRoot({
      path: '/',
      title: 'nestjs-grpc-lb, live',
      actions: { guards: [PageGuard] },
      panels: [{ title: 'Break it', script: '/demo/panel.js', style: '/demo/panel.css' }],
    }),
    HealthModule,
  ],
  controllers: [PanelController, BackendsController],
  providers: [phasesProvider, LoadService, FramesService, ClickVerdict, RunnerLink],
})
export class AppModule {}
