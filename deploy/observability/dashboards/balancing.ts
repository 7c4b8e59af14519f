import { type DashboardDefinition, query } from './definition.js';
import { percentiles, rate } from './queries.js';

/** Of metrics with the name of the client. */
const CLIENT = 'job=~"$job", grpc_lb_client=~"$client"';
/** Of gRPC's own, which know only the target. */
const TARGET = 'job=~"$job", grpc_target=~"$target"';

/** What only a balancer knows. */
export const balancing: DashboardDefinition = {
  uid: 'grpc-load-balancing',
  title: 'gRPC load balancing',
  description: 'Where calls go, why they wait, and what the balancer has decided.',
  variables: [
    { name: 'job', label: 'Caller', of: 'job', series: 'grpc_lb_info' },
    { name: 'client', label: 'Client', of: 'grpc_lb_client', series: 'grpc_lb_info{job=~"$job"}' },
    { name: 'target', label: 'Target', of: 'grpc_target', series: 'grpc_lb_info{job=~"$job"}' },
  ],
  rows: [
    {
      title: 'Backends',
      panels: [
        {
          title: 'Backends by state',
          description: 'How many backends are ready, as the clients see them, and what is wrong with the others?',
          unit: 'short',
          stacked: true,
          queries: [
            query(
              `sum by (grpc_lb_endpoint_state) (grpc_lb_endpoints{${CLIENT}, grpc_lb_endpoint_state!="ready"})`,
              '{{grpc_lb_endpoint_state}}',
            ),
            query(
              `sum(grpc_lb_endpoints{${CLIENT}, grpc_lb_endpoint_state="ready"}) - sum(grpc_lb_endpoints_warming{${CLIENT}})`,
              'ready',
            ),
            query(`sum(grpc_lb_endpoints_warming{${CLIENT}})`, 'ready, in slow start'),
          ],
        },
        {
          title: 'Clients without a ready backend',
          description: 'How many clients have no backend to call? Their calls fail.',
          unit: 'short',
          threshold: 1,
          queries: [query(`sum by (grpc_lb_client) (grpc_lb_client_failing{${CLIENT}})`, '{{grpc_lb_client}}')],
        },
        {
          title: 'Clients in panic',
          description: 'How many clients call unhealthy backends too, because fewer than half are healthy?',
          unit: 'short',
          threshold: 1,
          queries: [query(`sum by (grpc_lb_client) (grpc_lb_panic{${CLIENT}})`, '{{grpc_lb_client}}')],
        },
      ],
    },
    {
      title: 'Fairness',
      panels: [
        {
          title: 'Largest and smallest share',
          description:
            'How evenly are calls spread? 1 is the mean. Largest: one backend attracts calls. Smallest: one gets few, as a slow one should.',
          unit: 'short',
          queries: [
            query(`max by (grpc_lb_client) (grpc_lb_share_max_ratio{${CLIENT}})`, 'largest, {{grpc_lb_client}}'),
            query(`min by (grpc_lb_client) (grpc_lb_share_min_ratio{${CLIENT}})`, 'smallest, {{grpc_lb_client}}'),
          ],
        },
        {
          title: 'In flight on the busiest backend',
          description: 'Does one backend pile up calls? Compare with the mean over the ready backends.',
          unit: 'short',
          queries: [
            query(`max by (grpc_lb_client) (grpc_lb_endpoint_in_flight_max{${CLIENT}})`, 'busiest, {{grpc_lb_client}}'),
            query(
              `sum by (grpc_lb_client) (grpc_lb_in_flight{${CLIENT}}) / (sum by (grpc_lb_client) (grpc_lb_endpoints{${CLIENT}, grpc_lb_endpoint_state="ready"}) > 0)`,
              'mean, {{grpc_lb_client}}',
            ),
          ],
        },
        {
          title: 'Shares of priorities and zones',
          description: 'Do calls stay with the first priority and in their zone?',
          unit: 'percentunit',
          queries: [
            query(
              `avg by (grpc_lb_client, grpc_lb_priority) (grpc_lb_priority_share_ratio{${CLIENT}})`,
              '{{grpc_lb_client}} to priority {{grpc_lb_priority}}',
            ),
            query(
              `avg by (grpc_lb_client, grpc_lb_priority) (grpc_lb_zone_cross_share_ratio{${CLIENT}})`,
              '{{grpc_lb_client}} to other zones, priority {{grpc_lb_priority}}',
            ),
          ],
        },
        {
          title: 'Failovers',
          description: 'How often have the shares of priorities changed? Often: a priority is on the edge of health.',
          unit: 'short',
          queries: [
            query(
              `sum by (grpc_lb_client) (increase(grpc_lb_failovers_total{${CLIENT}}[$__rate_interval]))`,
              '{{grpc_lb_client}}',
            ),
          ],
        },
      ],
    },
    {
      title: 'Waits',
      panels: [
        {
          title: 'Calls that wait, by cause',
          description:
            'What do calls wait for now? discovery, connection, ready: a backend. stream_limit: room on a connection. call_credentials: a token.',
          unit: 'short',
          stacked: true,
          queries: [query(`sum by (grpc_lb_wait_reason) (grpc_lb_pending{${CLIENT}})`, '{{grpc_lb_wait_reason}}')],
        },
        {
          title: 'p99 of waits, by cause',
          description: 'How long did those wait that had to?',
          unit: 's',
          queries: percentiles('grpc_lb_wait_duration_seconds', CLIENT, [99], 'grpc_lb_wait_reason'),
        },
        {
          title: 'Waits and refusals',
          description: 'How many calls had to wait, and how many were refused because too many waited?',
          unit: 'cps',
          queries: [
            query(
              rate('grpc_lb_wait_duration_seconds_count', CLIENT, 'grpc_lb_wait_reason'),
              'waited for {{grpc_lb_wait_reason}}',
            ),
            query(rate('grpc_lb_dropped_total', CLIENT, 'grpc_status'), 'refused with {{grpc_status}}'),
          ],
        },
      ],
    },
    {
      title: 'Ejections and silence',
      panels: [
        {
          title: 'Ejections',
          description: 'How often are backends ejected, and why?',
          unit: 'cps',
          queries: [
            query(
              rate(
                'grpc_lb_outlier_detection_ejections_enforced_total',
                TARGET,
                'grpc_lb_outlier_detection_detection_method',
              ),
              '{{grpc_lb_outlier_detection_detection_method}}',
            ),
          ],
        },
        {
          title: 'Ejections that did not happen',
          description: 'Why did backends that fail stay? max_ejection_overflow and last_healthy: most of them fail.',
          unit: 'cps',
          queries: [
            query(
              rate(
                'grpc_lb_outlier_detection_ejections_unenforced_total',
                TARGET,
                'grpc_lb_outlier_detection_unenforced_reason',
              ),
              '{{grpc_lb_outlier_detection_unenforced_reason}}',
            ),
          ],
        },
        {
          title: 'Silent backends',
          description:
            'How often did a backend not answer while a call waited? Suspects did not answer the PING either.',
          unit: 'cps',
          queries: [
            query(rate('grpc_lb_pings_total', CLIENT, 'grpc_lb_client'), 'PINGs, {{grpc_lb_client}}'),
            query(rate('grpc_lb_suspects_total', CLIENT, 'grpc_lb_client'), 'suspects, {{grpc_lb_client}}'),
          ],
        },
      ],
    },
    {
      title: 'Pool',
      panels: [
        {
          title: 'Connections by state',
          description: 'How many connections are there? Many that are retiring: servers close them often.',
          unit: 'short',
          stacked: true,
          queries: [
            query(`sum by (grpc_lb_connection_state) (grpc_lb_connections{${CLIENT}})`, '{{grpc_lb_connection_state}}'),
          ],
        },
        {
          title: 'Calls on each connection',
          description: 'How full are connections? Servers often allow 100 calls on one.',
          unit: 'short',
          queries: [
            query(
              `sum by (grpc_lb_client) (grpc_lb_in_flight{${CLIENT}}) / (sum by (grpc_lb_client) (grpc_lb_connections{${CLIENT}, grpc_lb_connection_state="ready"}) > 0)`,
              '{{grpc_lb_client}}',
            ),
          ],
        },
        {
          title: 'Connections that open and close',
          description: 'Why do connections close, and can they be opened again?',
          unit: 'cps',
          queries: [
            query(rate('grpc_subchannel_connection_attempts_succeeded_total', TARGET, 'job'), 'opened'),
            query(rate('grpc_subchannel_connection_attempts_failed_total', TARGET, 'job'), 'attempts that failed'),
            query(
              rate('grpc_subchannel_disconnections_total', TARGET, 'grpc_disconnect_error'),
              'closed: {{grpc_disconnect_error}}',
            ),
          ],
        },
        {
          title: 'Connections without protection',
          description: 'Which clients send no keepalive PINGs, or are connected to servers that offer no health?',
          unit: 'short',
          queries: [
            query(
              `sum by (grpc_lb_client) (1 - grpc_lb_keepalive_enabled{${CLIENT}})`,
              'no keepalive, {{grpc_lb_client}}',
            ),
            query(
              `sum by (grpc_lb_client) (grpc_lb_connections_health_not_offered{${CLIENT}})`,
              'connections without health, {{grpc_lb_client}}',
            ),
          ],
        },
        {
          title: 'Watches that end early',
          description: 'Do servers end the watches of health or of load reports? Then they are blind for a while.',
          unit: 'cps',
          queries: [query(rate('grpc_lb_watches_backed_off_total', CLIENT, 'grpc_lb_watch'), '{{grpc_lb_watch}}')],
        },
      ],
    },
    {
      title: 'Retries and hedges',
      panels: [
        {
          title: 'Retries and hedges',
          description: 'How many attempts are added? Transparent: the backend had not begun.',
          unit: 'cps',
          queries: [
            query(rate('grpc_client_call_retries_sum', TARGET, 'grpc_target'), 'retries, {{grpc_target}}'),
            query(
              rate('grpc_client_call_transparent_retries_sum', TARGET, 'grpc_target'),
              'transparent retries, {{grpc_target}}',
            ),
            query(rate('grpc_client_call_hedges_sum', TARGET, 'grpc_target'), 'hedges, {{grpc_target}}'),
          ],
        },
        {
          title: 'Hedges that won',
          description: 'How often was the hedge faster? A small share: they are sent too early.',
          unit: 'percentunit',
          queries: [
            query(
              `${rate('grpc_lb_hedges_won_total', CLIENT, 'grpc_target')} / (${rate('grpc_client_call_hedges_sum', TARGET, 'grpc_target')} > 0)`,
              '{{grpc_target}}',
            ),
          ],
        },
        {
          title: 'Budget of retries and hedges',
          description: 'How many were allowed, and how many denied? Denied: an outage that retries must not feed.',
          unit: 'cps',
          queries: [
            query(rate('grpc_lb_retries_granted_total', CLIENT, 'grpc_lb_client'), 'granted, {{grpc_lb_client}}'),
            query(
              rate('grpc_lb_retries_denied_total', CLIENT, 'grpc_lb_client, grpc_lb_denied_by'),
              'denied by {{grpc_lb_denied_by}}, {{grpc_lb_client}}',
            ),
          ],
        },
      ],
    },
    {
      title: 'Discovery',
      panels: [
        {
          title: 'Age of the list',
          description: 'How old is the last good answer? It grows while a watch has nothing new; stale does not.',
          unit: 's',
          queries: [
            query(
              `max by (grpc_lb_discovery_target) (grpc_lb_discovery_age_seconds{${CLIENT}})`,
              'age, {{grpc_lb_discovery_target}}',
            ),
            query(
              `max by (grpc_lb_discovery_target) (grpc_lb_discovery_stale_seconds{${CLIENT}})`,
              'stale for, {{grpc_lb_discovery_target}}',
            ),
          ],
        },
        {
          title: 'Backends found',
          description:
            'Do all processes find the same backends? If largest and smallest differ for long, one is blind.',
          unit: 'short',
          queries: [
            query(
              `max by (grpc_lb_discovery_target) (grpc_lb_discovery_endpoints{${CLIENT}})`,
              'most, {{grpc_lb_discovery_target}}',
            ),
            query(
              `min by (grpc_lb_discovery_target) (grpc_lb_discovery_endpoints{${CLIENT}})`,
              'fewest, {{grpc_lb_discovery_target}}',
            ),
          ],
        },
        {
          title: 'Answers of discovery',
          description: 'Does discovery answer, and with lists that can be used?',
          unit: 'cps',
          queries: [
            query(
              rate('grpc_lb_discovery_updates_total', CLIENT, 'grpc_lb_discovery_kind'),
              'good, {{grpc_lb_discovery_kind}}',
            ),
            query(
              rate('grpc_lb_discovery_failures_total', CLIENT, 'grpc_lb_discovery_kind'),
              'failed, {{grpc_lb_discovery_kind}}',
            ),
            query(
              rate('grpc_lb_discovery_dropped_total', CLIENT, 'grpc_lb_discovery_kind'),
              'endpoints dropped, {{grpc_lb_discovery_kind}}',
            ),
          ],
        },
        {
          title: 'Behind a cluster IP',
          description: 'Which clients were given the address of a Service instead of those of its pods?',
          unit: 'short',
          threshold: 1,
          queries: [
            query(
              `max by (grpc_lb_discovery_target) (grpc_lb_discovery_cluster_ip{${CLIENT}})`,
              '{{grpc_lb_discovery_target}}',
            ),
          ],
        },
      ],
    },
    {
      title: 'Weights of weighted_round_robin',
      panels: [
        {
          title: 'Endpoints without a weight',
          description: 'How many backends send no usable report? With fewer than two weights it is round robin.',
          unit: 'cps',
          queries: [
            query(
              rate('grpc_lb_wrr_endpoint_weight_not_yet_usable_total', TARGET, 'grpc_target'),
              'not yet usable, {{grpc_target}}',
            ),
            query(rate('grpc_lb_wrr_endpoint_weight_stale_total', TARGET, 'grpc_target'), 'stale, {{grpc_target}}'),
            query(rate('grpc_lb_wrr_rr_fallback_total', TARGET, 'grpc_target'), 'round robin, {{grpc_target}}'),
          ],
        },
        {
          title: 'Weights',
          description: 'How far apart are the weights of the backends?',
          unit: 'short',
          queries: percentiles('grpc_lb_wrr_endpoint_weights', TARGET, [10, 90]),
        },
      ],
    },
    {
      title: 'Versions',
      panels: [
        {
          title: 'Clients by version of the package',
          description: 'Which versions run at the same time during a rollout of callers?',
          unit: 'short',
          stacked: true,
          queries: [query(`count by (grpc_lb_version) (grpc_lb_info{${CLIENT}})`, '{{grpc_lb_version}}')],
        },
        {
          title: 'Clients by policy',
          description: 'Do all processes of a client use the same policy?',
          unit: 'short',
          stacked: true,
          queries: [
            query(
              `count by (grpc_lb_client, grpc_lb_policy) (grpc_lb_info{${CLIENT}})`,
              '{{grpc_lb_client}}: {{grpc_lb_policy}}',
            ),
          ],
        },
      ],
    },
  ],
};
