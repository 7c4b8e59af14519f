import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { GrpcLbHealthIndicator } from './grpc-lb.health.js';

/**
 * Provides `GrpcLbHealthIndicator`, next to `GrpcLbModule.forRoot()` and the application's own `TerminusModule`, which
 * it does not export: the options of that one would be lost.
 */
@Module({ imports: [TerminusModule], providers: [GrpcLbHealthIndicator], exports: [GrpcLbHealthIndicator] })
export class GrpcLbTerminusModule {}
