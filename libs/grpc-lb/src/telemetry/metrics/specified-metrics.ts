import {
  ATTEMPT_BUCKETS,
  LATENCY_BUCKETS,
  type MetricDefinition,
  RPC_BUCKETS,
  SIZE_BUCKETS,
  TRANSPARENT_BUCKETS,
} from './definition.js';

const CALL = ['grpc.method', 'grpc.target'];
const ENDED = [...CALL, 'grpc.status'];
const DELAY = ['grpc.target', 'grpc.method', 'grpc.delay_type'];
const TARGET = ['grpc.target'];

/** The metrics that gRPC and OpenTelemetry specify for clients, with the names, units, labels and buckets given there. */
export const SPECIFIED_METRICS = {
  // gRFC A66, "Client Per-Attempt Instruments" and "Client Per-Call Instruments".
  'grpc.client.attempt.started': {
    kind: 'counter',
    unit: '{attempt}',
    description: 'The total number of RPC attempts started, including those that have not completed.',
    labels: CALL,
    source: 'A66',
  },
  'grpc.client.attempt.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'End-to-end time taken to complete an RPC attempt including the time it takes to pick a subchannel.',
    labels: ENDED,
    buckets: LATENCY_BUCKETS,
    source: 'A66',
  },
  'grpc.client.attempt.sent_total_compressed_message_size': {
    kind: 'histogram',
    unit: 'By',
    description: 'Total bytes (compressed but not encrypted) sent across all request messages per RPC attempt.',
    labels: ENDED,
    buckets: SIZE_BUCKETS,
    source: 'A66',
  },
  'grpc.client.attempt.rcvd_total_compressed_message_size': {
    kind: 'histogram',
    unit: 'By',
    description: 'Total bytes (compressed but not encrypted) received across all response messages per RPC attempt.',
    labels: ENDED,
    buckets: SIZE_BUCKETS,
    source: 'A66',
  },
  'grpc.client.call.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'The end-to-end time to complete an RPC from the perspective of the application.',
    labels: ENDED,
    buckets: LATENCY_BUCKETS,
    source: 'A66',
  },

  // gRFC A96: "If there were no retries, 0 is not reported."
  'grpc.client.call.retries': {
    kind: 'histogram',
    unit: '{retry}',
    description: 'Number of retries during the client call. If there were no retries, 0 is not reported.',
    labels: CALL,
    buckets: ATTEMPT_BUCKETS,
    source: 'A96',
  },
  'grpc.client.call.transparent_retries': {
    kind: 'histogram',
    unit: '{transparent_retry}',
    description:
      'Number of transparent retries during the client call. If there were no transparent retries, 0 is not reported.',
    labels: CALL,
    buckets: TRANSPARENT_BUCKETS,
    source: 'A96',
  },
  'grpc.client.call.hedges': {
    kind: 'histogram',
    unit: '{hedge}',
    description: 'Number of hedges during the client call. If there were no hedges, 0 is not reported.',
    labels: CALL,
    buckets: ATTEMPT_BUCKETS,
    source: 'A96',
  },
  'grpc.client.call.retry_delay': {
    kind: 'histogram',
    unit: 's',
    description: 'Total time of delay while there is no active attempt during the client call.',
    labels: CALL,
    buckets: LATENCY_BUCKETS,
    source: 'A96',
  },

  // gRFC A121, "Metrics Definitions".
  'grpc.client.call.delay.duration': {
    kind: 'histogram',
    unit: 's',
    description:
      'Time an RPC spent waiting at the call level before an attempt was initiated, such as waiting for name resolution.',
    labels: DELAY,
    buckets: LATENCY_BUCKETS,
    source: 'A121',
  },
  'grpc.client.attempt.delay.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Time an RPC attempt spent waiting for a load balancing pick or connection establishment.',
    labels: DELAY,
    buckets: LATENCY_BUCKETS,
    source: 'A121',
  },

  // OpenTelemetry's semantic conventions, `metric.rpc.client.call.duration`.
  'rpc.client.call.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Measures the duration of an outgoing Remote Procedure Call (RPC).',
    labels: ['rpc.system.name', 'rpc.method', 'rpc.status_code', 'server.address'],
    optionalLabels: ['server.port', 'error.type'],
    buckets: RPC_BUCKETS,
    source: 'semconv',
  },

  // gRFC A78, "Weighted Round Robin LB Policy".
  'grpc.lb.wrr.rr_fallback': {
    kind: 'counter',
    unit: '{update}',
    description:
      'Number of scheduler updates in which there were not enough endpoints with valid weight, which caused the WRR policy to fall back to RR behavior.',
    labels: TARGET,
    source: 'A78',
  },
  'grpc.lb.wrr.endpoint_weight_not_yet_usable': {
    kind: 'counter',
    unit: '{endpoint}',
    description: "Number of endpoints from each scheduler update that don't yet have usable weight information.",
    labels: TARGET,
    source: 'A78',
  },
  'grpc.lb.wrr.endpoint_weight_stale': {
    kind: 'counter',
    unit: '{endpoint}',
    description:
      'Number of endpoints from each scheduler update whose latest weight is older than the expiration period.',
    labels: TARGET,
    source: 'A78',
  },
  'grpc.lb.wrr.endpoint_weights': {
    kind: 'histogram',
    unit: '{weight}',
    description:
      'Weight of each endpoint, recorded on every scheduler update. Endpoints without usable weights will be recorded as weight 0.',
    labels: TARGET,
    buckets: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000],
    source: 'A78',
  },

  // gRFC A91.
  'grpc.lb.outlier_detection.ejections_enforced': {
    kind: 'counter',
    unit: '{ejection}',
    description: 'Enforced outlier ejections by ejection reason',
    labels: ['grpc.target', 'grpc.lb.outlier_detection.detection_method'],
    source: 'A91',
  },
  'grpc.lb.outlier_detection.ejections_unenforced': {
    kind: 'counter',
    unit: '{ejection}',
    description:
      'Unenforced outlier ejections due to either max ejection percentage or a comparison with the other endpoints',
    labels: [
      'grpc.target',
      'grpc.lb.outlier_detection.detection_method',
      'grpc.lb.outlier_detection.unenforced_reason',
    ],
    source: 'A91',
  },

  // gRFC A94.
  'grpc.subchannel.disconnections': {
    kind: 'counter',
    unit: '{disconnection}',
    description: 'Number of times the selected subchannel becomes disconnected.',
    labels: ['grpc.target', 'grpc.disconnect_error'],
    source: 'A94',
  },
  'grpc.subchannel.connection_attempts_succeeded': {
    kind: 'counter',
    unit: '{attempt}',
    description: 'Number of successful connection attempts.',
    labels: TARGET,
    source: 'A94',
  },
  'grpc.subchannel.connection_attempts_failed': {
    kind: 'counter',
    unit: '{attempt}',
    description: 'Number of failed connection attempts.',
    labels: TARGET,
    source: 'A94',
  },
  'grpc.subchannel.open_connections': {
    kind: 'up_down_counter',
    unit: '{connection}',
    description: 'Number of open connections.',
    labels: TARGET,
    source: 'A94',
  },

  // gRFC A118, in review and experimental, as gRPC's C core implements it.
  'grpc.client.tls.handshakes': {
    kind: 'counter',
    unit: '{handshake}',
    description: 'Total number of client-side TLS handshakes.',
    labels: ['grpc.target', 'grpc.tls.handshake.result'],
    source: 'A118',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
