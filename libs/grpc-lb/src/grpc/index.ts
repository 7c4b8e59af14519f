/**
 * The same calls and policies without Nest: channels for clients of grpc-js.
 *
 * @example
 * ```ts
 * const channel = createBalancedChannel({ name: 'ORDERS', target: 'dns:///orders:50051', credentials });
 * const orders = new OrdersService('ignored', credentials, { channelOverride: channel });
 * ```
 *
 * @packageDocumentation
 */

export {
  type Fault,
  GrpcLbClosedError,
  GrpcLbConflictError,
  GrpcLbError,
  type GrpcLbErrorCode,
  GrpcLbOptionsError,
  GrpcLbPeerError,
} from '../core/errors.js';
export type { AttemptKind } from '../core/call/plan-owner.js';
export type { ThrottleState } from '../core/call/call-throttle.js';
export type { CriticalityLevel } from '../core/call/criticality.js';
export type { Cancel, Clock } from '../core/clock.js';
export type { Locality as EndpointLocality } from '../core/endpoint.js';
export type {
  HealthNotOffered,
  LbEndpointEventBase,
  LbEvent,
  LbEventBase,
  LbEventListener,
  ListInUse,
} from '../core/events.js';
export type { EffectiveEjectionOptions, OutlierEjectionOptions } from '../core/options/ejection-options.js';
export type { EffectiveHealthOptions, HealthCheckOptions } from '../core/options/health-options.js';
export type { HedgeOptions, HedgePolicyOptions, HedgeQuantile } from '../core/options/hedge-options.js';
export type { EffectiveLoadBalancing, LoadBalancingOptions, MethodOptions } from '../core/options/load-balancing.js';
export type { EffectiveLocalityOptions, LocalityOptions } from '../core/options/locality-options.js';
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
} from '../core/options/policy-config.js';
export type { ConnectionPoolOptions, EffectivePoolOptions } from '../core/options/pool-options.js';
export type {
  DeadlineOptions,
  MethodDeadlineOptions,
  RetryOptions,
  RetryPolicyOptions,
} from '../core/options/retry-options.js';
export type { HashKeyFunction, HashKeySource, RingHashConfig } from '../core/options/ring-hash-options.js';
export type { EffectiveSlowStartOptions, SlowStartOptions } from '../core/options/slow-start-options.js';
export type {
  EffectiveStreamOptions,
  EffectiveStreamRebalance,
  StreamOptions,
  StreamRebalanceOptions,
} from '../core/options/stream-options.js';
export type { ThrottleOptions, ThrottlePolicyOptions } from '../core/options/throttle-options.js';
export type { FailureStatus } from '../core/options/status-names.js';
export type { EffectiveSubsetOptions, SubsetAlgorithm, SubsetOptions } from '../core/options/subset-options.js';
export type { WeightedRoundRobinConfig } from '../core/options/weighted-round-robin-options.js';
export type { Random as RandomSource } from '../core/random.js';
export type { AttemptsByCriticality } from '../core/load/shed-attempts.js';
export type { MoveReason } from '../core/streams/placed-stream.js';
export type { HandshakeResult } from '../core/connection/handshake-result.js';
export type { ClientTotals, EjectionMethod, EjectionObstacle, EjectionsPrevented } from '../core/totals.js';
export type { WeightsUpdate } from '../core/policy/weights-update.js';
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
} from '../core/snapshot.js';
export type { TlsVersion } from '../tls/loaded-tls.js';
export type { CertificateOptions, TlsOptions } from '../tls/options.js';
export type { CertificateProvider, ProvidedCertificates } from '../tls/provided-pem.js';
export type { EndpointActions } from './channel/endpoint-actions.js';
export { BalancedChannel, type BalancedChannelOptions, createBalancedChannel } from './channel/balanced-channel.js';
export type {
  CallObservation,
  CallObserver,
  EndOrigin,
  ObservedAttempt,
  ObservedCall,
  ObservedEnd,
  ObservedWeights,
  WaitReason,
} from './call/call-observer.js';
export { DEFAULT_CHANNEL_OPTIONS } from './config/channel-options.js';
export { SUPPORTED_GRPC_JS } from './capabilities.js';
export type { CallToExplain, EndpointExplanation, Explanation } from './channel/explain.js';
export { register } from './channel/register.js';
export type { MethodInfo } from './config/service-config.js';
