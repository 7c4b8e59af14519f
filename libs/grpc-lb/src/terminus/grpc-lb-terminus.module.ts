import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { GrpcLbHealthIndicator } from './grpc-lb.health.js';

/**
 * Provides `GrpcLbHealthIndicator`, next to `GrpcLbModule.forRoot()` and the application's own `TerminusModule`. It
 * does not export that module, because its options would be lost.
 */
@Module({ imports: [TerminusModule], providers: [GrpcLbHealthIndicator], exports: [GrpcLbHealthIndicator] })
export class GrpcLbTerminusModule {}
