import type { MetricDefinition } from '../definition.js';
import { CLIENT } from './labels.js';

const SOURCE = [...CLIENT, 'grpc.lb.discovery.target', 'grpc.lb.discovery.kind'];
const PRIORITY = [...CLIENT, 'grpc.lb.priority'];

/** What discovery answers, and to which of its priorities and zones the calls go. */
export const DISCOVERY_METRICS = {
  'grpc.lb.discovery.up': {
    kind: 'gauge',
    unit: '{bool}',
    description: 'Whether the last answer of discovery is in use.',
    labels: SOURCE,
    source: 'own',
  },
  'grpc.lb.discovery.age': {
    kind: 'gauge',
    unit: 's',
    description: 'Time since the last good answer of discovery.',
    labels: SOURCE,
    source: 'own',
  },
  'grpc.lb.discovery.stale': {
    kind: 'gauge',
    unit: 's',
    description: 'Time since the last good answer while discovery fails; 0 while it works.',
    labels: SOURCE,
    source: 'own',
  },
  'grpc.lb.discovery.endpoints': {
    kind: 'gauge',
    unit: '{endpoint}',
    description: 'Endpoints in the last good answer of discovery.',
    labels: SOURCE,
    source: 'own',
  },
  'grpc.lb.discovery.cluster_ip': {
    kind: 'gauge',
    unit: '{bool}',
    description: 'Whether the only endpoint looks like the cluster IP of a Kubernetes Service; only of dns targets.',
    labels: SOURCE,
    source: 'own',
  },
  'grpc.lb.discovery.updates': {
    kind: 'counter',
    unit: '{update}',
    description: 'Good answers of discovery.',
    labels: SOURCE,
    source: 'own',
  },
  'grpc.lb.discovery.failures': {
    kind: 'counter',
    unit: '{failure}',
    description: 'Failed answers of discovery.',
    labels: SOURCE,
    source: 'own',
  },
  'grpc.lb.discovery.dropped': {
    kind: 'counter',
    unit: '{endpoint}',
    description: 'Endpoints dropped because they were invalid, or because the list was too long.',
    labels: SOURCE,
    source: 'own',
  },
  'grpc.lb.priority.share': {
    kind: 'gauge',
    unit: '1',
    description: 'Share of all calls that goes to a priority.',
    labels: PRIORITY,
    source: 'own',
  },
  'grpc.lb.zone.cross_share': {
    kind: 'gauge',
    unit: '1',
    description: 'Share of the calls of a priority that goes to other zones.',
    labels: PRIORITY,
    source: 'own',
  },
  'grpc.lb.failovers': {
    kind: 'counter',
    unit: '{failover}',
    description: 'How often the shares of the priorities changed.',
    labels: CLIENT,
    source: 'own',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
