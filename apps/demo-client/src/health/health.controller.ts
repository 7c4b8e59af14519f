import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { GrpcLbHealthIndicator } from 'nestjs-grpc-lb/terminus';
import { OrdersClient } from '../orders.client.js';

/** The health endpoints of this application, for an orchestrator. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly grpcLb: GrpcLbHealthIndicator,
  ) {}

  /** Is this process alive? Nothing else counts: a restart would not fix a backend. */
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /**
   * Can this instance serve? Without any backend this application can do nothing, so it is down; with at least one it
   * is up. A stricter minimum would take all instances out of service at the same time when their shared backends fail.
   */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.grpcLb.isHealthy('orders', { client: OrdersClient, minReady: 1 })]);
  }
}
