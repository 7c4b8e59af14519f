import { type DashboardDefinition, query } from './definition.js';
import { burn, failures, percentiles, rate } from './queries.js';

const FILTER = 'job=~"$job", grpc_method=~"$method"';
const CALLS = 'grpc_server_call_duration_seconds';
const STARTED = 'grpc_server_call_started_total';
/** A label of pods that the scrape adds: `podTargetLabels` in `kubernetes/pod-monitor.yaml`. */
const VERSION = 'app_kubernetes_io_version';

/** Traffic, errors, latency and saturation of the applications that answer. */
export const servers: DashboardDefinition = {
  uid: 'grpc-servers',
  title: 'gRPC servers',
  description:
    'Traffic, errors, latency and saturation, as the servers see them, and how versions differ in a rollout.',
  variables: [
    { name: 'job', label: 'Server', of: 'job', series: `${CALLS}_count` },
    { name: 'method', label: 'Method', of: 'grpc_method', series: `${CALLS}_count{job=~"$job"}` },
  ],
  rows: [
    {
      title: 'Traffic',
      panels: [
        {
          title: 'Calls by method',
          description: 'How much is called?',
          unit: 'reqps',
          queries: [query(rate(STARTED, FILTER, 'grpc_method'), '{{grpc_method}}')],
        },
        {
          title: 'Calls by instance',
          description: 'Does each instance get its share? This is the sum over all clients.',
          unit: 'reqps',
          queries: [query(rate(STARTED, FILTER, 'instance'), '{{instance}}')],
        },
        {
          title: 'Bytes',
          description: 'How much is received and sent, compressed?',
          unit: 'Bps',
          queries: [
            query(rate('grpc_server_call_rcvd_total_compressed_message_size_bytes_sum', FILTER, 'job'), 'received'),
            query(rate('grpc_server_call_sent_total_compressed_message_size_bytes_sum', FILTER, 'job'), 'sent'),
          ],
        },
      ],
    },
    {
      title: 'Errors',
      panels: [
        {
          title: 'Share of failed calls',
          description: 'Which method fails? Mistakes of callers, such as NOT_FOUND, do not count.',
          unit: 'percentunit',
          threshold: 0.01,
          queries: [query(failures('server', FILTER, 'grpc_method'), '{{grpc_method}}')],
        },
        {
          title: 'Calls by status',
          description: 'With what do calls end?',
          unit: 'reqps',
          stacked: true,
          queries: [query(rate(`${CALLS}_count`, FILTER, 'grpc_status'), '{{grpc_status}}')],
        },
        {
          title: 'Burn of the error budget',
          description: 'How many times faster than allowed is the budget spent? From 14.4 on a critical alert fires.',
          unit: 'short',
          threshold: 14.4,
          queries: burn('server', 'job=~"$job"', 'job'),
        },
      ],
    },
    {
      title: 'Latency and saturation',
      panels: [
        {
          title: 'Latency',
          description: 'How long do calls take in the server?',
          unit: 's',
          queries: percentiles(CALLS, FILTER, [50, 95, 99]),
        },
        {
          title: 'p99 by instance',
          description: 'Is one instance slower than the others?',
          unit: 's',
          queries: percentiles(CALLS, FILTER, [99], 'instance'),
        },
        {
          title: 'Calls in progress',
          description: 'How many calls run at once, streams included? One instance that has many more is slow.',
          unit: 'short',
          queries: [
            query(
              `sum by (instance) (${STARTED}{${FILTER}}) - (sum by (instance) (${CALLS}_count{${FILTER}}) or 0 * sum by (instance) (${STARTED}{${FILTER}}))`,
              '{{instance}}',
            ),
          ],
        },
      ],
    },
    {
      title: 'Versions in a rollout',
      panels: [
        {
          title: 'Calls by version',
          description: 'How far is the rollout? The share of the new version must grow with its pods.',
          unit: 'reqps',
          stacked: true,
          queries: [query(rate(STARTED, FILTER, VERSION), `{{${VERSION}}}`)],
        },
        {
          title: 'Share of failed calls by version',
          description: 'Does the new version fail more often than the old one? Then roll back.',
          unit: 'percentunit',
          threshold: 0.01,
          queries: [query(failures('server', FILTER, VERSION), `{{${VERSION}}}`)],
        },
        {
          title: 'p99 by version',
          description: 'Is the new version slower? A process that has just started is, for a minute.',
          unit: 's',
          queries: percentiles(CALLS, FILTER, [99], VERSION),
        },
      ],
    },
  ],
};
