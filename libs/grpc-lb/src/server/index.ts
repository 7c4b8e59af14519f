export { GrpcServer } from './grpc-server.js';
export { GrpcServerModule, type GrpcServerModuleAsyncOptions } from './module.js';
export { grpcServer, type GrpcServerMicroservice } from './transport.js';
export type {
  GrpcConnectionOptions,
  GrpcDrainOptions,
  GrpcHealthOptions,
  GrpcLoadReportOptions,
  GrpcServerDeadlineOptions,
  GrpcServerOptions,
} from './options.js';
export type { RefusedCalls } from './admission.js';
export type { RefusalReason } from './refusal.js';
export type { HealthCheck } from './health-check.js';
export { DRAINING_KEY, type GrpcDrainReport } from './drain.js';
export type {
  ObservedServerCall,
  ObservedServerEnd,
  ServerCallObservation,
  ServerCallObserver,
} from './server-observer.js';
export type { ServerLoad } from './load-meter.js';
export {
  type Fault,
  GrpcLbArgumentError,
  GrpcLbConflictError,
  GrpcLbError,
  type GrpcLbErrorCode,
  GrpcLbOptionsError,
  GrpcLbPeerError,
} from '../core/errors.js';
