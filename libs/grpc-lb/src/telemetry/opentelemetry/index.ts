/**
 * Metrics and traces for OpenTelemetry, of clients and of servers. Needs the peer `@opentelemetry/api`.
 *
 * @example
 * ```ts
 * imports: [GrpcLbModule.forRoot(), GrpcLbOpenTelemetryModule.forRoot()]
 * ```
 *
 * @packageDocumentation
 */

export type { MetricDefinition, MetricKind, MetricSource } from '../metrics/definition.js';
export type { GrpcLbMetricsOptions, MetricsDetail } from '../metrics/metrics-options.js';
export type { MetricsSource } from '../metrics/metrics-source.js';
export { type MetricName, METRICS } from '../metrics/metrics.js';
export { GrpcLbOpenTelemetryModule, type GrpcLbOpenTelemetryOptions } from './grpc-lb-opentelemetry.module.js';
export { METER_NAME } from './metrics/meter-name.js';
export {
  GrpcLbMetricProducer,
  type ProducedBase,
  type ProducedHistogram,
  type ProducedMetric,
  type ProducedMetrics,
  type ProducedPoint,
} from './metrics/metric-producer.js';
export { observeMetrics, type ObserveMetricsOptions } from './metrics/observe-metrics.js';
export { GrpcServerTelemetry, type GrpcServerTelemetryOptions } from './server/server-telemetry.js';
export { CallSpans } from './traces/call-spans.js';
export { traceExemplar } from './traces/trace-exemplar.js';
export type { GrpcLbTraceOptions } from './traces/trace-options.js';
export { SERVER_METRICS, type ServerMetricName } from '../metrics/server-metrics.js';
export type { RefusalReason, SheddingReason } from '../../server/refusal.js';
export type {
  ObservedServer,
  ObservedServerCall,
  ObservedServerEnd,
  ServerCallObservation,
  ServerCallObserver,
} from '../../server/server-observer.js';
export type { StreamEnd } from '../../server/stream-end.js';
export type { CertificateSnapshot, CertificateState, ServerTlsSnapshot } from '../../core/snapshot.js';
export type { HandshakeResult } from '../../core/connection/handshake-result.js';
