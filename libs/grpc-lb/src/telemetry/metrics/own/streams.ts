import type { MetricDefinition } from '../definition.js';
import { CLIENT } from './labels.js';

/** Streams that stay open. */
export const STREAM_METRICS = {
  'grpc.lb.streams': {
    kind: 'up_down_counter',
    unit: '{stream}',
    description: 'Open streams that last, such as subscriptions.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.endpoint.streams.max': {
    kind: 'gauge',
    unit: '{stream}',
    description: 'Open streams that last on the endpoint that has the most.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.endpoint.streams.min': {
    kind: 'gauge',
    unit: '{stream}',
    description: 'Open streams that last on the ready endpoint that has the fewest.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.streams.oldest': {
    kind: 'gauge',
    unit: 's',
    description: 'Time since the oldest open stream was opened at its endpoint.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.stream_moves': {
    kind: 'counter',
    unit: '{move}',
    description: 'Moves of streams that can resume, by the reason.',
    labels: [...CLIENT, 'grpc.lb.move_reason'],
    source: 'own',
  },
  'grpc.lb.streams_resumed': {
    kind: 'counter',
    unit: '{stream}',
    description: 'Calls that continue a stream whose call has ended, as when its server failed.',
    labels: CLIENT,
    source: 'own',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
