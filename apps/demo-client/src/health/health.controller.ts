import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { GrpcLbHealthIndicator } from 'nestjs-grpc-lb/terminus';
import { OrdersClient } from '../orders.client.js';

/** What an orchestrator asks this application. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly grpcLb: GrpcLbHealthIndicator,
  ) {}

  /** Is this process alive? Nothing else counts: to be started anew would mend no backend. */
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /**
   * Can this instance serve? Without any backend there is nothing that this application can do, so it says no; while one
   * is left it says yes. A stricter minimum would take all instances out of service at the same moment, when backends
   * are ill that they share.
   */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.grpcLb.isHealthy('orders', { client: OrdersClient, minReady: 1 })]);
  }
}
