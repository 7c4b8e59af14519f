import type { MetricName } from './metrics.js';

/** The metrics that there are with `detail: 'compact'`: what the alerts ask for, and the traffic of each target. */
const KEPT = [
  'grpc.client.attempt.started',
  'grpc.client.call.duration',
  'grpc.lb.client.failing',
  'grpc.lb.panic',
  'grpc.lb.keepalive.enabled',
  'grpc.lb.endpoints',
  'grpc.lb.suspects',
  'grpc.lb.share.max',
  'grpc.lb.pending',
  'grpc.lb.dropped',
  'grpc.lb.shed',
  'grpc.lb.throttle.open',
  'grpc.lb.retries_granted',
  'grpc.lb.retries_denied',
  'grpc.lb.discovery.up',
  'grpc.lb.discovery.stale',
  'grpc.lb.discovery.endpoints',
  'grpc.lb.discovery.cluster_ip',
  'grpc.lb.tls.certificate.expiring',
  'grpc.lb.tls.certificates.up',
] as const satisfies readonly MetricName[];

export const COMPACT_METRICS: ReadonlySet<MetricName> = new Set(KEPT);

/** Bounds that A66 has too, so that sums over processes with and without `detail: 'compact'` stay right. */
export const COMPACT_BUCKETS: Readonly<Partial<Record<MetricName, readonly number[]>>> = {
  'grpc.client.call.duration': [0.01, 0.1, 1],
};
