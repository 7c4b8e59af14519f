/**
 * Balanced gRPC clients for Nest: the module, the base class and the decorators of clients, their options, and the
 * registry that shows and changes them at run time.
 *
 * @example
 * ```ts
 * @Module({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient])] })
 * export class AppModule {}
 * ```
 *
 * @packageDocumentation
 */

export type { AttemptKind } from './core/call/plan-owner.js';
export type { ThrottleState } from './core/call/call-throttle.js';
export type { CriticalityLevel } from './core/call/criticality.js';
export type { Cancel, Clock } from './core/clock.js';
export type { Address, Endpoint, Locality as EndpointLocality, TcpAddress, UnixAddress } from './core/endpoint.js';
export type {
  EndpointAnswer,
  EndpointListener,
  EndpointSource,
  EndpointSourceContext,
  EndpointSourceFactory,
  Target,
} from './core/endpoint-source.js';
export type { HealthNotOffered, LbEndpointEventBase, LbEvent, LbEventBase, ListInUse } from './core/events.js';
export type { EffectiveLoadBalancing, LoadBalancingOptions, MethodOptions } from './core/options/load-balancing.js';
export type {
  AdaptiveConfig,
  HotColdConfig,
  LeastRequestConfig,
  PeakEwmaConfig,
  PickFirstConfig,
  PolicyConfig,
  PolicyName,
  RandomConfig,
  RoundRobinConfig,
} from './core/options/policy-config.js';
export type { HashKeyFunction, HashKeySource, RingHashConfig } from './core/options/ring-hash-options.js';
export type { WeightedRoundRobinConfig } from './core/options/weighted-round-robin-options.js';
export type { EffectiveEjectionOptions, OutlierEjectionOptions } from './core/options/ejection-options.js';
export type { EffectiveHealthOptions, HealthCheckOptions } from './core/options/health-options.js';
export type { HedgeOptions, HedgePolicyOptions, HedgeQuantile } from './core/options/hedge-options.js';
export type { EffectiveLocalityOptions, LocalityOptions } from './core/options/locality-options.js';
export type { ConnectionPoolOptions, EffectivePoolOptions } from './core/options/pool-options.js';
export type {
  DeadlineOptions,
  MethodDeadlineOptions,
  RetryOptions,
  RetryPolicyOptions,
} from './core/options/retry-options.js';
export type { EffectiveSlowStartOptions, SlowStartOptions } from './core/options/slow-start-options.js';
export type {
  EffectiveStreamOptions,
  EffectiveStreamRebalance,
  StreamOptions,
  StreamRebalanceOptions,
} from './core/options/stream-options.js';
export type { EffectiveSubsetOptions, SubsetAlgorithm, SubsetOptions } from './core/options/subset-options.js';
export type { ThrottleOptions, ThrottlePolicyOptions } from './core/options/throttle-options.js';
export type { FailureStatus } from './core/options/status-names.js';
export {
  type Fault,
  GrpcLbArgumentError,
  GrpcLbClosedError,
  GrpcLbConflictError,
  GrpcLbDiscoveryError,
  GrpcLbError,
  type GrpcLbErrorCode,
  GrpcLbOptionsError,
  GrpcLbPeerError,
} from './core/errors.js';
export type {
  CertificateSnapshot,
  CertificateState,
  ClientSnapshot,
  ClientState,
  ConnectionHealth,
  ConnectionSnapshot,
  ConnectionState,
  EndpointSnapshot,
  EndpointState,
  PrioritySnapshot,
  SourceSnapshot,
  SourceState,
  StreamsSnapshot,
  ThrottleSnapshot,
  TlsSnapshot,
} from './core/snapshot.js';
export type { Random as RandomSource } from './core/random.js';
export type { AttemptsByCriticality } from './core/load/shed-attempts.js';
export type { MoveReason } from './core/streams/placed-stream.js';
export type { HandshakeResult } from './core/connection/handshake-result.js';
export type { ClientTotals, EjectionMethod, EjectionObstacle, EjectionsPrevented } from './core/totals.js';
export type { WeightsUpdate } from './core/policy/weights-update.js';
export {
  type AddressRecord,
  type DnsLookup,
  type DnsResolver,
  type DnsResolverFactory,
  type DnsSourceOptions,
  dnsSourceFactory,
  type LookupAddress,
  registerEndpointSource,
  type RegisterEndpointSourceOptions,
  type SrvRecord,
} from './discovery/index.js';
export type {
  CallObservation,
  CallObserver,
  EndOrigin,
  ObservedAttempt,
  ObservedCall,
  ObservedEnd,
  ObservedWeights,
  WaitReason,
} from './grpc/call/call-observer.js';
export type { CallToExplain, EndpointExplanation, Explanation } from './grpc/channel/explain.js';
export type { TlsVersion } from './tls/loaded-tls.js';
export type { CertificateOptions, TlsOptions } from './tls/options.js';
export type { CertificateProvider, ProvidedCertificates } from './tls/provided-pem.js';
export { GrpcLbClientHandle } from './nest/client-handle.js';
export type {
  GrpcLbClientDecoratorOptions,
  GrpcLbClientOptions,
  GrpcLbKeepaliveOptions,
} from './nest/client-options.js';
export {
  ConnectionPool,
  connectionPool,
  Criticality,
  Deadline,
  deadline,
  HealthCheck,
  healthCheck,
  Hedge,
  hedge,
  Locality,
  locality,
  OutlierEjection,
  outlierEjection,
  Retry,
  retry,
  SlowStart,
  slowStart,
  Subset,
  subset,
  Throttle,
  throttle,
  Tls,
  tls,
} from './nest/decorators/aspects.js';
export { GrpcLbClient } from './nest/decorators/grpc-lb-client.js';
export type { ClientDecorator } from './nest/decorators/metadata.js';
export { InjectGrpcLbClient, InjectGrpcService } from './nest/decorators/inject.js';
export {
  Adaptive,
  adaptive,
  HotCold,
  hotCold,
  type HashKey,
  type HotColdOptions,
  LeastRequest,
  leastRequest,
  type LeastRequestOptions,
  PeakEwma,
  peakEwma,
  type PeakEwmaOptions,
  PickFirst,
  pickFirst,
  type PickFirstOptions,
  Random,
  random,
  RingHash,
  ringHash,
  type RingHashOptions,
  RoundRobin,
  roundRobin,
  WeightedRoundRobin,
  weightedRoundRobin,
  type WeightedRoundRobinOptions,
} from './nest/decorators/policies.js';
export type { CallAttempts, GrpcLbCallOptions, MetadataInit } from './nest/call-options.js';
export { GrpcPromiseService, GrpcService } from './nest/grpc-service.js';
export { promises, responses } from './nest/promises.js';
export type {
  EsDefinition,
  EsMessageDescriptor,
  EsMethodDescriptor,
  GenericDefinition,
  GenericMessage,
  GenericMethod,
  GrpcJsDefinition,
  GrpcLbServiceDefinition,
} from './nest/definition/definition-types.js';
export type { EsFieldInit, EsInit, EsMessage, EsRequest, EsResponse } from './nest/definition/es-types.js';
export type { DeepPartialMessage, Indivisible, PartialMessage } from './nest/definition/partial-message.js';
export type {
  EsMethods,
  EsRequestStream,
  EsResponseStream,
  GenericMethods,
  GenericRequest,
  GenericResponse,
  GrpcJsMethods,
  MethodsOf,
  MethodTypes,
  ObservableMethodOf,
  PromiseAnswer,
  PromiseMethodOf,
  PromiseServiceOf,
  ServiceOf,
} from './nest/definition/service-of.js';
export type {
  GrpcLbPromiseMethod,
  GrpcLbResponse,
  GrpcLbStreamMethod,
  PromiseClient,
  PromiseFormOf,
  PromiseServiceClient,
  PromiseShape,
  PromisesOf,
  ResponseClient,
  ResponseFormOf,
} from './nest/promise-types.js';
export type { GrpcLbMethod, RequestOf, RequestStream, ServiceClient, ServiceShape } from './nest/service-types.js';
export { GrpcLbModule } from './nest/module.js';
export type {
  GrpcLbAsyncSource,
  GrpcLbClientAsyncItem,
  GrpcLbClientItem,
  GrpcLbClientOptionsFactory,
  GrpcLbClientOverrides,
  GrpcLbConnectMode,
  GrpcLbCreatedClient,
  GrpcLbFeatureOptions,
  GrpcLbModuleAsyncOptions,
  GrpcLbModuleOptions,
  GrpcLbModuleOptionsFactory,
} from './nest/module-options.js';
export type { GrpcLbServiceError } from './nest/stub/service-error.js';
export { iterate } from './nest/streams/iterate.js';
export { Resumable, resumable } from './nest/streams/resumable.js';
export type {
  MessageOf,
  RequestIn,
  OptionsOf,
  ReplayingOptions,
  ReplayKey,
  ReplayOptions,
  ResumableMethod,
  ResumableOf,
  ResumableOptions,
  ResumableStatus,
  StreamGap,
} from './nest/streams/resumable-options.js';
export type { OptionInForce, OptionOrigin } from './nest/option-origins.js';
export { GrpcLbRegistry } from './nest/registry.js';
export { type ClientRef, getGrpcLbClientToken, getGrpcServiceToken } from './nest/tokens.js';
