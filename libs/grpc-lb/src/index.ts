export type { Clock } from './core/clock.js';
export type { Address, Endpoint, Locality as EndpointLocality, TcpAddress, UnixAddress } from './core/endpoint.js';
export type {
  EndpointAnswer,
  EndpointListener,
  EndpointSource,
  EndpointSourceContext,
  EndpointSourceFactory,
  Target,
} from './core/endpoint-source.js';
export type { HealthNotOffered, LbEvent } from './core/events.js';
export type { EffectiveLoadBalancing, LoadBalancingOptions } from './core/options/load-balancing.js';
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
export type { OutlierEjectionOptions } from './core/options/ejection-options.js';
export type { HealthCheckOptions } from './core/options/health-options.js';
export type { LocalityOptions } from './core/options/locality-options.js';
export type { ConnectionPoolOptions } from './core/options/pool-options.js';
export type { DeadlineOptions, RetryOptions, RetryPolicyOptions } from './core/options/retry-options.js';
export type { SlowStartOptions } from './core/options/slow-start-options.js';
export type { SubsetAlgorithm, SubsetOptions } from './core/options/subset-options.js';
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
  ClientSnapshot,
  ClientState,
  ConnectionSnapshot,
  ConnectionState,
  EndpointSnapshot,
  EndpointState,
  SourceSnapshot,
} from './core/snapshot.js';
export {
  type DnsResolver,
  type DnsResolverFactory,
  type DnsSourceOptions,
  dnsSourceFactory,
  registerEndpointSource,
} from './discovery/index.js';
export type { EndpointExplanation, Explanation } from './grpc/channel/explain.js';
export { GrpcLbClientHandle } from './nest/client-handle.js';
export type { GrpcLbClientDecoratorOptions, GrpcLbClientOptions } from './nest/client-options.js';
export {
  ConnectionPool,
  connectionPool,
  Deadline,
  deadline,
  HealthCheck,
  healthCheck,
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
} from './nest/decorators/aspects.js';
export { GrpcLbClient } from './nest/decorators/grpc-lb-client.js';
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
export {
  type GrpcLbCallOptions,
  type GrpcLbMethod,
  GrpcService,
  type RequestStream,
  type ServiceClient,
} from './nest/grpc-service.js';
export { GrpcLbModule } from './nest/module.js';
export type {
  GrpcLbClientAsyncItem,
  GrpcLbClientItem,
  GrpcLbClientOptionsFactory,
  GrpcLbClientOverrides,
  GrpcLbFeatureOptions,
  GrpcLbModuleAsyncOptions,
  GrpcLbModuleOptions,
  GrpcLbModuleOptionsFactory,
} from './nest/module-options.js';
export { GrpcLbRegistry } from './nest/registry.js';
export { type ClientRef, getGrpcLbClientToken, getGrpcServiceToken } from './nest/tokens.js';
