import type { MetricDefinition } from '../definition.js';
import { CLIENT } from './labels.js';

/** Attempts beyond the first one, and calls that are refused to spare the backends. */
export const ATTEMPT_METRICS = {
  'grpc.lb.hedges_won': {
    kind: 'counter',
    unit: '{hedge}',
    description: 'Hedges whose answer the caller got.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.retries_granted': {
    kind: 'counter',
    unit: '{attempt}',
    description: 'Retries and hedges that the budget and the throttle allowed.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.retries_denied': {
    kind: 'counter',
    unit: '{attempt}',
    description: 'Retries and hedges that were not made, because of the budget or the throttle.',
    labels: [...CLIENT, 'grpc.lb.denied_by'],
    source: 'own',
  },
  'grpc.lb.shed': {
    kind: 'counter',
    unit: '{attempt}',
    description: 'Attempts that servers refused because they had too much to do, by the criticality of their calls.',
    labels: [...CLIENT, 'grpc.lb.criticality'],
    source: 'own',
  },
  'grpc.lb.throttled': {
    kind: 'counter',
    unit: '{call}',
    description: 'Calls of a method that the client refused because backends reject most of them.',
    labels: [...CLIENT, 'grpc.method'],
    source: 'own',
  },
  'grpc.lb.throttle.open': {
    kind: 'gauge',
    unit: '{bool}',
    description: 'Whether a part of the calls of a method is refused.',
    labels: [...CLIENT, 'grpc.method'],
    source: 'own',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
