export { GrpcLbHealthIndicator, type GrpcLbHealthOptions } from './grpc-lb.health.js';
export type { ClientHealth } from './client-health.js';
export { GrpcLbTerminusModule } from './grpc-lb-terminus.module.js';
export type { MinReady } from './min-ready.js';
