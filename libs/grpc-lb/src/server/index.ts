/**
 * The half that backends run: health service, graceful drain, load reports, deadlines that travel, shedding, TLS.
 *
 * @example
 * ```ts
 * const options = { url: '0.0.0.0:50051', package: 'orders.v1', protoPath: 'orders.proto' };
 * const app = await NestFactory.createMicroservice(AppModule, grpcServer({ options }));
 * ```
 *
 * @packageDocumentation
 */

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
  GrpcSheddingOptions,
} from './options.js';
export type { CriticalityLevel } from '../core/call/criticality.js';
export type { RefusedCalls } from './admission.js';
export type { RefusalReason, SheddingReason } from './refusal.js';
export { SHED_KEY } from './shed-status.js';
export type { SheddingState } from './shedder.js';
export type { CertificateOptions, ClientCertificates, ServerTlsOptions } from '../tls/options.js';
export type { TlsVersion } from '../tls/loaded-tls.js';
export type { CertificateProvider, ProvidedCertificates } from '../tls/provided-pem.js';
export type { CertificateSnapshot, CertificateState, ServerTlsSnapshot } from '../core/snapshot.js';
export type { HandshakeResult } from '../core/connection/handshake-result.js';
export type { HealthCheck } from './health-check.js';
export type { GrpcDrainReport } from './drain.js';
export type { GrpcStreamAgeOptions } from './stream-age-options.js';
export { MaxStreamAge } from './max-stream-age.js';
export { DRAINING_KEY, STREAM_END_KEY, STREAM_MAX_AGE_KEY, type StreamEnd } from './stream-end.js';
export type { GrpcServerEvent, GrpcServerEventBase, GrpcServerEventListener } from './server-events.js';
export type {
  ObservedServer,
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
