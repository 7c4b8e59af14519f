import { LATENCY_BUCKETS, type MetricDefinition, RPC_BUCKETS, SIZE_BUCKETS } from './definition.js';

const ENDED = ['grpc.method', 'grpc.status'];

/** What TLS of a server is at present: its certificates, of several servers in one process the worst; its handshakes. */
export const SERVER_TLS_METRICS = {
  // gRFC A118, in review and experimental, as gRPC's C core implements it.
  'grpc.server.tls.handshakes': {
    kind: 'counter',
    unit: '{handshake}',
    description: 'Total number of server-side TLS handshakes.',
    labels: ['grpc.tls.handshake.result'],
    source: 'A118',
  },
  'grpc.lb.server.tls.certificate.time_left': {
    kind: 'gauge',
    unit: 's',
    description: "Time until the server's certificate, or one sent with it, expires; negative afterwards.",
    labels: [],
    source: 'own',
  },
  'grpc.lb.server.tls.certificate.expiring': {
    kind: 'gauge',
    unit: '{bool}',
    description: "Whether the server's certificate expires sooner than its expiryWarning allows, or has expired.",
    labels: [],
    source: 'own',
  },
  'grpc.lb.server.tls.authorities.time_left': {
    kind: 'gauge',
    unit: 's',
    description: 'Time until the last CA expires that the server trusts for clients; negative afterwards.',
    labels: [],
    source: 'own',
  },
  'grpc.lb.server.tls.certificates.up': {
    kind: 'gauge',
    unit: '{bool}',
    description: 'Whether the certificates that were read last are in force; if not, the last good ones are.',
    labels: [],
    source: 'own',
  },
  'grpc.lb.server.tls.rotations': {
    kind: 'counter',
    unit: '{rotation}',
    description: 'How often other certificates came into force.',
    labels: [],
    source: 'own',
  },
  'grpc.lb.server.tls.rejections': {
    kind: 'counter',
    unit: '{rejection}',
    description: 'How often certificates were found that cannot be used.',
    labels: [],
    source: 'own',
  },
  'grpc.lb.server.tls.handshakes_refused': {
    kind: 'counter',
    unit: '{handshake}',
    description: 'Handshakes of clients that failed.',
    labels: [],
    source: 'own',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** The name of a metric of a server's TLS, as OpenTelemetry writes it. */
export type ServerTlsMetricName = keyof typeof SERVER_TLS_METRICS;

/** All metrics of the server side by their names, with the units, labels and buckets that are specified. */
export const SERVER_METRICS = {
  // gRFC A66, "Server Instruments".
  'grpc.server.call.started': {
    kind: 'counter',
    unit: '{call}',
    description: 'The total number of RPCs started, including those that have not completed.',
    labels: ['grpc.method'],
    source: 'A66',
  },
  'grpc.server.call.sent_total_compressed_message_size': {
    kind: 'histogram',
    unit: 'By',
    description: 'Total bytes (compressed but not encrypted) sent across all response messages per RPC.',
    labels: ENDED,
    buckets: SIZE_BUCKETS,
    source: 'A66',
  },
  'grpc.server.call.rcvd_total_compressed_message_size': {
    kind: 'histogram',
    unit: 'By',
    description: 'Total bytes (compressed but not encrypted) received across all request messages per RPC.',
    labels: ENDED,
    buckets: SIZE_BUCKETS,
    source: 'A66',
  },
  'grpc.server.call.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'The end-to-end time that an RPC takes from the perspective of the server transport.',
    labels: ENDED,
    buckets: LATENCY_BUCKETS,
    source: 'A66',
  },

  // OpenTelemetry's semantic conventions, `metric.rpc.server.call.duration`.
  'rpc.server.call.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Measures the duration of an incoming Remote Procedure Call (RPC).',
    labels: ['rpc.system.name', 'rpc.method', 'rpc.status_code'],
    optionalLabels: ['error.type'],
    buckets: RPC_BUCKETS,
    source: 'semconv',
  },

  'grpc.lb.server.streams_ended': {
    kind: 'counter',
    unit: '{stream}',
    description: 'Streams that the server ended while their handlers ran, by the reason: drain or max_age.',
    labels: ['grpc.method', 'grpc.lb.stream_end'],
    source: 'own',
  },
  'grpc.lb.server.calls_refused': {
    kind: 'counter',
    unit: '{call}',
    description: 'Calls whose handlers were not started: their deadline had passed, or the server sheds load.',
    labels: ['grpc.method', 'grpc.lb.refusal'],
    source: 'own',
  },

  ...SERVER_TLS_METRICS,
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** The name of a metric of the server side, as OpenTelemetry writes it. */
export type ServerMetricName = keyof typeof SERVER_METRICS;

/** Those of its calls. */
export type ServerCallMetricName = Exclude<ServerMetricName, ServerTlsMetricName>;
