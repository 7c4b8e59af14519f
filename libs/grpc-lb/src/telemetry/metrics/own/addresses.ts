import type { MetricDefinition } from '../definition.js';
import { CLIENT } from './labels.js';

const ADDRESS = [...CLIENT, 'grpc.lb.endpoint.address'];

/** Each endpoint by itself, for clients that export addresses. */
export const ADDRESS_METRICS = {
  'grpc.lb.endpoint.in_flight': {
    kind: 'up_down_counter',
    unit: '{attempt}',
    description: 'Attempts in flight on an endpoint. Only with addresses.',
    labels: ADDRESS,
    source: 'own',
  },
  'grpc.lb.endpoint.attempts': {
    kind: 'counter',
    unit: '{attempt}',
    description: 'Attempts that an endpoint got. Only with addresses.',
    labels: ADDRESS,
    source: 'own',
  },
  'grpc.lb.endpoint.failures': {
    kind: 'counter',
    unit: '{attempt}',
    description: 'Attempts at an endpoint that did not end with OK. Only with addresses.',
    labels: ADDRESS,
    source: 'own',
  },
  'grpc.lb.endpoint.ready': {
    kind: 'gauge',
    unit: '{bool}',
    description: 'Whether an endpoint is ready. Only with addresses.',
    labels: ADDRESS,
    source: 'own',
  },
  'grpc.lb.endpoint.failure_rate': {
    kind: 'gauge',
    unit: '1',
    description: 'Recent failure rate of an endpoint. Only with addresses.',
    labels: ADDRESS,
    source: 'own',
  },
  'grpc.lb.endpoint.streams': {
    kind: 'up_down_counter',
    unit: '{stream}',
    description: 'Open streams that last on an endpoint.',
    labels: ADDRESS,
    source: 'own',
  },
  'grpc.lb.addresses_omitted': {
    kind: 'gauge',
    unit: '{endpoint}',
    description: 'Endpoints beyond the limit of addresses, which have no metrics of their own.',
    labels: CLIENT,
    source: 'own',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
