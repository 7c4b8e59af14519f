import { type MetricDefinition, RPC_BUCKETS } from '../definition.js';
import { CLIENT } from './labels.js';

const INFO = [...CLIENT, 'grpc.lb.policy', 'grpc.lb.version'];

/** Whether a client can send its calls, and what they wait for. */
export const CLIENT_METRICS = {
  'grpc.lb.info': {
    kind: 'gauge',
    unit: '{client}',
    description: 'Always 1: the policy of a client and the version of this package, as labels.',
    labels: INFO,
    source: 'own',
  },
  'grpc.lb.client.ready': {
    kind: 'gauge',
    unit: '{bool}',
    description: 'Whether calls can be sent: an endpoint is ready, or in panic connected.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.client.failing': {
    kind: 'gauge',
    unit: '{bool}',
    description: 'Whether no endpoint can be called, so that calls end with UNAVAILABLE.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.panic': {
    kind: 'gauge',
    unit: '{bool}',
    description: 'Whether too few endpoints are healthy, so that calls go to all that are connected.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.keepalive.enabled': {
    kind: 'gauge',
    unit: '{bool}',
    description: 'Whether connections send keepalive PINGs.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.in_flight': {
    kind: 'up_down_counter',
    unit: '{attempt}',
    description: 'Attempts that have an endpoint and have not ended.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.endpoint.in_flight.max': {
    kind: 'gauge',
    unit: '{attempt}',
    description: 'Attempts in flight on the endpoint that has most of them.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.share.max': {
    kind: 'gauge',
    unit: '1',
    description: 'The largest share of the recent attempts that a ready endpoint got, over the mean.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.share.min': {
    kind: 'gauge',
    unit: '1',
    description: 'The smallest share of the recent attempts that a ready endpoint got, over the mean.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.pending': {
    kind: 'up_down_counter',
    unit: '{call}',
    description: 'Calls that wait before they can be sent, by what they wait for.',
    labels: [...CLIENT, 'grpc.lb.wait_reason'],
    source: 'own',
  },
  'grpc.lb.wait.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Time that a call waited before it could be sent, by what it waited for; only calls that waited.',
    labels: [...CLIENT, 'grpc.lb.wait_reason'],
    buckets: RPC_BUCKETS,
    source: 'own',
  },
  'grpc.lb.dropped': {
    kind: 'counter',
    unit: '{call}',
    description: 'Calls that the client refused without an attempt, such as when too many are pending.',
    labels: [...CLIENT, 'grpc.status'],
    source: 'own',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
