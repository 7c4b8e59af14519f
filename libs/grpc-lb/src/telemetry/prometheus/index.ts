/**
 * Metrics for Prometheus, of clients and of servers, in a registry of `prom-client`, which is a peer.
 *
 * @example
 * ```ts
 * imports: [GrpcLbModule.forRoot(), GrpcLbPrometheusModule.forRoot()]
 * ```
 *
 * @packageDocumentation
 */

export type { MetricDefinition, MetricKind, MetricSource } from '../metrics/definition.js';
export type { GrpcLbMetricsOptions, MetricsDetail } from '../metrics/metrics-options.js';
export type { MetricsSource } from '../metrics/metrics-source.js';
export { type MetricName, METRICS } from '../metrics/metrics.js';
export { prometheusLabel, prometheusName } from '../metrics/prometheus-name.js';
export { GrpcLbPrometheusModule, type GrpcLbPrometheusOptions } from './grpc-lb-prometheus.module.js';
export type { ExemplarLabels, ExemplarSource } from './exemplars.js';
export { observeMetrics, type PrometheusMetricsOptions } from './observe-metrics.js';
export { SERVER_METRICS, type ServerMetricName } from '../metrics/server-metrics.js';
export { GrpcServerMetrics, type GrpcServerMetricsOptions } from './server/server-metrics.js';
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
