/**
 * The state of backends in the health endpoints of an application, as an indicator for `@nestjs/terminus`.
 *
 * @example
 * ```ts
 * health.check([() => indicator.isHealthy('orders', { client: OrdersClient, minReady: '50%' })]);
 * ```
 *
 * @packageDocumentation
 */

export { GrpcLbHealthIndicator, type GrpcLbHealthOptions } from './grpc-lb.health.js';
export { type CertifiedServer, GrpcServerHealthIndicator } from './grpc-server.health.js';
export { GrpcServerTerminusModule } from './grpc-server-terminus.module.js';
export type { CertificateSnapshot, CertificateState, EndpointState, SourceState } from '../core/snapshot.js';
export type { ClientRef } from '../nest/tokens.js';
export type { CertificateHealth, ClientHealth, EndpointHealth } from './client-health.js';
export { GrpcLbTerminusModule } from './grpc-lb-terminus.module.js';
export type { MinReady } from './min-ready.js';
