import type { MetricDefinition } from '../definition.js';
import { CLIENT } from './labels.js';

/** The endpoints of a client, their connections, and what they report. */
export const ENDPOINT_METRICS = {
  'grpc.lb.endpoints': {
    kind: 'up_down_counter',
    unit: '{endpoint}',
    description: 'Endpoints in use, by their state.',
    labels: [...CLIENT, 'grpc.lb.endpoint.state'],
    source: 'own',
  },
  'grpc.lb.endpoints.warming': {
    kind: 'up_down_counter',
    unit: '{endpoint}',
    description: 'Ready endpoints in slow start.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.ejections_withdrawn': {
    kind: 'counter',
    unit: '{ejection}',
    description: 'Ejections that ended early, because the other endpoints turned out to fail as often.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.suspects': {
    kind: 'counter',
    unit: '{connection}',
    description: 'Connections that became suspect, because their peer did not answer a PING in time.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.pings': {
    kind: 'counter',
    unit: '{ping}',
    description: 'PINGs sent to silent peers while a call waited.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.connections': {
    kind: 'up_down_counter',
    unit: '{connection}',
    description: 'Connections, by their state.',
    labels: [...CLIENT, 'grpc.lb.connection.state'],
    source: 'own',
  },
  'grpc.lb.connections.health_not_offered': {
    kind: 'up_down_counter',
    unit: '{connection}',
    description: 'Connections whose server does not offer its health, so that they count as healthy.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.load_reports_rejected': {
    kind: 'counter',
    unit: '{report}',
    description: 'Load reports that were unreadable, impossible or too large.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.watches_backed_off': {
    kind: 'counter',
    unit: '{watch}',
    description: 'Watches of health or of load reports that ended early, and are reopened with growing delays.',
    labels: [...CLIENT, 'grpc.lb.watch'],
    source: 'own',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
