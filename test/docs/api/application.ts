import type { ChannelCredentials, credentials as grpcCredentials, ServiceClientConstructor } from '@grpc/grpc-js';
import { type CanActivate, type ModuleMetadata } from '@nestjs/common';
import type { HealthCheckService } from '@nestjs/terminus';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import {
  type EndpointSource,
  type GrpcLbClientDecoratorOptions,
  type GrpcLbRegistry,
  GrpcService,
  type LoadBalancingOptions,
} from 'nestjs-grpc-lb';
import type { GrpcLbHealthIndicator, GrpcServerHealthIndicator } from 'nestjs-grpc-lb/terminus';
import type { MetricDefinition } from 'nestjs-grpc-lb/prometheus';
import type { GrpcServer } from 'nestjs-grpc-lb/server';
import type { Fleet } from 'nestjs-grpc-lb/testing';
import type { Observable } from 'rxjs';

/** What short examples have around them: an application, and what it imports of other packages. */

export { Module } from '@nestjs/common';
export { ConfigModule } from '@nestjs/config';
export { NestFactory } from '@nestjs/core';
export { GrpcMethod } from '@nestjs/microservices';
export { Test } from '@nestjs/testing';
export { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
export { Observable, takeUntil } from 'rxjs';
export { expect } from 'vitest';

export interface Orders {
  find(request: { id: string }): Observable<{ id: string; total: number }>;
}
export interface WatchRequest {
  readonly after: number;
}
export interface Change {
  readonly revision: number;
}
export interface Feed {
  watch(request: WatchRequest): Observable<Change>;
}

export class OrdersClient extends GrpcService<Orders>() {}
export class AppModule {}
export declare class AdminGuard implements CanActivate {
  canActivate(): boolean;
}
export declare class RegistrySource implements EndpointSource {
  constructor(...options: unknown[]);
  start(): void;
  refresh(): void;
  stop(): void;
}

export declare const OrdersService: ServiceClientConstructor;
export { OrdersDefinition } from '../../types/definitions.js';
export declare const app: { close(): Promise<void> };
export declare const count: (method: string, code: number) => void;
export declare const ca: Buffer;
export declare const credentials: ChannelCredentials & typeof grpcCredentials;
export declare const definition: MetricDefinition;
export declare const error: Error;
export declare const exporter: PushMetricExporter;
export declare const fleet: Fleet;
/** That of RxJS; only one of its overloads is deprecated, which a re-export does not tell apart. */
export declare const fromEvent: (target: EventTarget, name: string) => Observable<unknown>;
export declare const health: HealthCheckService;
export declare const id: string;
export declare const indicator: GrpcLbHealthIndicator;
export declare const orders: OrdersClient;
export declare const protoPath: string;
export declare const registry: GrpcLbRegistry;
export declare const target: string;
export declare const url: string;

/** What `this` has in an example. */
export class Context {
  declare readonly changes: Observable<Change>;
  declare readonly feed: Feed;
  declare readonly grpcServer: GrpcServer;
  declare readonly orders: OrdersClient;
  declare readonly server: GrpcServer;
  declare readonly serverHealth: GrpcServerHealthIndicator;
  declare readonly store: { apply(change: Change): Promise<void> };
}

/** What a property in an example may belong to. */
export type AnyOptions = Partial<ModuleMetadata & GrpcLbClientDecoratorOptions & LoadBalancingOptions>;
