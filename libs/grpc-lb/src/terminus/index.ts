export { GrpcLbHealthIndicator, type GrpcLbHealthOptions } from './grpc-lb.health.js';
export type { EndpointState, SourceState } from '../core/snapshot.js';
export type { ClientRef } from '../nest/tokens.js';
export type { CertificateHealth, ClientHealth, EndpointHealth } from './client-health.js';
export { GrpcLbTerminusModule } from './grpc-lb-terminus.module.js';
export type { MinReady } from './min-ready.js';
