import { type MetricDefinition, RPC_BUCKETS } from './definition.js';

const CLIENT = ['grpc.lb.client', 'grpc.target'];
const SOURCE = [...CLIENT, 'grpc.lb.discovery.target', 'grpc.lb.discovery.kind'];
const INFO = [...CLIENT, 'grpc.lb.policy', 'grpc.lb.version'];
const PRIORITY = [...CLIENT, 'grpc.lb.priority'];
const ADDRESS = [...CLIENT, 'grpc.lb.endpoint.address'];

/** The metrics of this package: what only a balancer knows. */
export const OWN_METRICS = {
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
    description: 'Whether at least one endpoint is ready.',
    labels: CLIENT,
    source: 'own',
  },
  'grpc.lb.client.failing': {
    kind: 'gauge',
    unit: '{bool}',
    description: 'Whether no endpoint is ready, so that calls end with UNAVAILABLE.',
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
    description: 'Endpoints in slow start.',
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
  'grpc.lb.addresses_omitted': {
    kind: 'gauge',
    unit: '{endpoint}',
    description: 'Endpoints beyond the limit of addresses, which have no metrics of their own.',
    labels: CLIENT,
    source: 'own',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
