import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { GrpcServerHealthIndicator } from './grpc-server.health.js';

/** Provides `GrpcServerHealthIndicator`, in an application with or without clients, next to its own `TerminusModule`. */
@Module({ imports: [TerminusModule], providers: [GrpcServerHealthIndicator], exports: [GrpcServerHealthIndicator] })
export class GrpcServerTerminusModule {}
