import { type DashboardDefinition, query } from './definition.js';
import { burn, failures, percentiles, rate } from './queries.js';

const FILTER = 'job=~"$job", grpc_target=~"$target"';
const CALLS = 'grpc_client_call_duration_seconds';

/** Traffic, errors, latency and saturation of the applications that call. */
export const clients: DashboardDefinition = {
  uid: 'grpc-clients',
  title: 'gRPC clients',
  description: 'Traffic, errors, latency and saturation, as the callers see them.',
  variables: [
    { name: 'job', label: 'Caller', of: 'job', series: `${CALLS}_count` },
    { name: 'target', label: 'Target', of: 'grpc_target', series: `${CALLS}_count{job=~"$job"}` },
  ],
  rows: [
    {
      title: 'Traffic',
      panels: [
        {
          title: 'Calls by method',
          description: 'How much is called?',
          unit: 'reqps',
          queries: [query(rate(`${CALLS}_count`, FILTER, 'grpc_method'), '{{grpc_method}}')],
        },
        {
          title: 'Calls by target',
          description: 'Whom do these applications call?',
          unit: 'reqps',
          queries: [query(rate(`${CALLS}_count`, FILTER, 'grpc_target'), '{{grpc_target}}')],
        },
        {
          title: 'Attempts for each call',
          description: 'How much work do retries and hedges add? 1 is none.',
          unit: 'short',
          queries: [
            query(
              `${rate('grpc_client_attempt_started_total', FILTER, 'grpc_target')} / (${rate(`${CALLS}_count`, FILTER, 'grpc_target')} > 0)`,
              '{{grpc_target}}',
            ),
          ],
        },
      ],
    },
    {
      title: 'Errors',
      panels: [
        {
          title: 'Share of failed calls',
          description: 'Which method fails? Mistakes of the caller, such as NOT_FOUND, do not count.',
          unit: 'percentunit',
          threshold: 0.01,
          queries: [query(failures('client', FILTER, 'grpc_method'), '{{grpc_method}}')],
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
          queries: burn('client', FILTER, 'grpc_target'),
        },
      ],
    },
    {
      title: 'Latency',
      panels: [
        {
          title: 'Latency of calls',
          description: 'How long do callers wait, retries included?',
          unit: 's',
          queries: percentiles(CALLS, FILTER, [50, 95, 99]),
        },
        {
          title: 'Latency of attempts',
          description: 'How long do the backends take? A gap to the latency of calls is what retries and waits add.',
          unit: 's',
          queries: percentiles('grpc_client_attempt_duration_seconds', FILTER, [50, 95, 99]),
        },
        {
          title: 'p99 by method',
          description: 'Which method is slow?',
          unit: 's',
          queries: percentiles(CALLS, FILTER, [99], 'grpc_method'),
        },
      ],
    },
    {
      title: 'Saturation',
      panels: [
        {
          title: 'Attempts in flight',
          description: 'How many calls run at once? It grows with the rate and with the latency.',
          unit: 'short',
          queries: [query(`sum by (grpc_lb_client) (grpc_lb_in_flight{${FILTER}})`, '{{grpc_lb_client}}')],
        },
        {
          title: 'Calls that wait',
          description: 'How many calls could not be sent yet, and why? More than a few is a fault.',
          unit: 'short',
          queries: [query(`sum by (grpc_lb_wait_reason) (grpc_lb_pending{${FILTER}})`, '{{grpc_lb_wait_reason}}')],
        },
        {
          title: 'Bytes',
          description: 'How much is sent and received, compressed?',
          unit: 'Bps',
          queries: [
            query(
              rate('grpc_client_attempt_sent_total_compressed_message_size_bytes_sum', FILTER, 'grpc_target'),
              'sent to {{grpc_target}}',
            ),
            query(
              rate('grpc_client_attempt_rcvd_total_compressed_message_size_bytes_sum', FILTER, 'grpc_target'),
              'received from {{grpc_target}}',
            ),
          ],
        },
      ],
    },
  ],
};
