import type { MetricDefinition } from '../definition.js';
import { CLIENT } from './labels.js';

/** The certificates of a client. */
export const TLS_METRICS = {
  'grpc.lb.tls.certificate.time_left': {
    kind: 'gauge',
    unit: 's',
    description: "Time until the client's certificate, or one sent with it, expires; negative afterwards.",
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.tls.certificate.expiring': {
    kind: 'gauge',
    unit: '{bool}',
    description: "Whether the client's certificate expires sooner than its expiryWarning allows, or has expired.",
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.tls.authorities.time_left': {
    kind: 'gauge',
    unit: 's',
    description: 'Time until the last of the trusted CAs expires; negative afterwards.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.tls.certificates.up': {
    kind: 'gauge',
    unit: '{bool}',
    description: 'Whether the certificates that were read last are in force; if not, the last good ones are.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.tls.rotations': {
    kind: 'counter',
    unit: '{rotation}',
    description: 'How often other certificates came into force.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.tls.rejections': {
    kind: 'counter',
    unit: '{rejection}',
    description: 'How often certificates were found that cannot be used.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.tls.connections.outdated': {
    kind: 'gauge',
    unit: '{connection}',
    description: 'Open connections that were made with earlier certificates.',
    labels: CLIENT,
    source: 'own',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
