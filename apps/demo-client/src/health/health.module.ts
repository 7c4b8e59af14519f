import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { GrpcLbTerminusModule } from 'nestjs-grpc-lb/terminus';
import { HealthController } from './health.controller.js';

@Module({ imports: [TerminusModule, GrpcLbTerminusModule], controllers: [HealthController] })
export class HealthModule {}
