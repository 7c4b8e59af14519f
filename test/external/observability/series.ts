/** Series of an application for `promtool test rules`: one sample a minute. */

/** When a fault begins and how long it lasts, in minutes; before it there is an hour without one. */
export const BEGIN = 60;
export const LASTS = 60;
export const END = 240;

/** A value while all is well, and one while the fault lasts. */
export type Value = readonly [usual: number, faulty: number];

const PROCESS = 'job="shop", instance="shop-1"';
const TARGET = 'grpc_target="dns:///orders:50051"';
const CLIENT = `${PROCESS}, grpc_lb_client="OrdersClient", ${TARGET}`;
const SOURCE = `${CLIENT}, grpc_lb_discovery_target="dns:///orders:50051", grpc_lb_discovery_kind="dns"`;
const SERVER = 'job="orders", instance="orders-1", grpc_method="orders.v1.Orders/Find"';

const calls = (status: string): string =>
  `grpc_client_call_duration_seconds_count{${PROCESS}, ${TARGET}, grpc_method="orders.v1.Orders/Find", grpc_status="${status}"}`;
const answers = (status: string): string =>
  `grpc_server_call_duration_seconds_count{${SERVER}, grpc_status="${status}"}`;
const streamsEnded = `grpc_lb_server_streams_ended_total{${SERVER}, grpc_lb_stream_end="max_age"}`;
const endpoints = (state: string): string => `grpc_lb_endpoints{${CLIENT}, grpc_lb_endpoint_state="${state}"}`;
const pending = (reason: string): string => `grpc_lb_pending{${CLIENT}, grpc_lb_wait_reason="${reason}"}`;
const waits = (reason: string): string =>
  `grpc_lb_wait_duration_seconds_count{${CLIENT}, grpc_lb_wait_reason="${reason}"}`;

/** The names of series, for the faults. */
export const SERIES = {
  calls,
  answers,
  endpoints,
  pending,
  waits,
  attempts: `grpc_client_attempt_started_total{${PROCESS}, ${TARGET}, grpc_method="orders.v1.Orders/Find"}`,
  suspects: `grpc_lb_suspects_total{${CLIENT}}`,
  granted: `grpc_lb_retries_granted_total{${CLIENT}}`,
  denied: `grpc_lb_retries_denied_total{${CLIENT}, grpc_lb_denied_by="budget"}`,
  dropped: `grpc_lb_dropped_total{${CLIENT}, grpc_status="RESOURCE_EXHAUSTED"}`,
  shed: `grpc_lb_shed_total{${CLIENT}, grpc_lb_criticality="critical"}`,
  throttleOpen: `grpc_lb_throttle_open{${CLIENT}, grpc_method="orders.v1.Orders/Find"}`,
  ready: `grpc_lb_client_ready{${CLIENT}}`,
  failing: `grpc_lb_client_failing{${CLIENT}}`,
  panic: `grpc_lb_panic{${CLIENT}}`,
  keepalive: `grpc_lb_keepalive_enabled{${CLIENT}}`,
  largestShare: `grpc_lb_share_max_ratio{${CLIENT}}`,
  up: `grpc_lb_discovery_up{${SOURCE}}`,
  stale: `grpc_lb_discovery_stale_seconds{${SOURCE}}`,
  found: `grpc_lb_discovery_endpoints{${SOURCE}}`,
  clusterIp: `grpc_lb_discovery_cluster_ip{${SOURCE}}`,
  certificateExpiring: `grpc_lb_tls_certificate_expiring{${CLIENT}}`,
  certificatesUp: `grpc_lb_tls_certificates_up{${CLIENT}}`,
  serverCertificateExpiring: 'grpc_lb_server_tls_certificate_expiring{job="orders", instance="orders-1"}',
  serverCertificatesUp: 'grpc_lb_server_tls_certificates_up{job="orders", instance="orders-1"}',
} as const;

/** What counters gain in a minute. Callers' mistakes, a rare failure and a retry now and then are part of a quiet hour. */
export const COUNTERS: Readonly<Record<string, number>> = {
  [calls('OK')]: 60_000,
  [calls('NOT_FOUND')]: 600,
  [calls('UNAVAILABLE')]: 12,
  [answers('OK')]: 60_000,
  [answers('NOT_FOUND')]: 600,
  [answers('INTERNAL')]: 12,
  // Streams that end at their maximum age.
  [answers('UNAVAILABLE')]: 1200,
  [streamsEnded]: 1200,
  [SERIES.attempts]: 60_600,
  [waits('connection')]: 30,
  [waits('stream_limit')]: 6,
  [SERIES.suspects]: 0,
  [SERIES.granted]: 60,
  [SERIES.denied]: 0,
  [SERIES.dropped]: 0,
  // A moment of overload now and then is part of a quiet hour.
  [SERIES.shed]: 60,
};

export const GAUGES: Readonly<Record<string, number>> = {
  [endpoints('ready')]: 5,
  [endpoints('connecting')]: 0,
  [endpoints('suspect')]: 0,
  [endpoints('ejected')]: 0,
  [endpoints('not_serving')]: 0,
  [endpoints('transient_failure')]: 0,
  [pending('connection')]: 0,
  [pending('stream_limit')]: 0,
  [SERIES.throttleOpen]: 0,
  [SERIES.ready]: 1,
  [SERIES.failing]: 0,
  [SERIES.panic]: 0,
  [SERIES.keepalive]: 1,
  [SERIES.largestShare]: 1.2,
  [SERIES.up]: 1,
  [SERIES.stale]: 0,
  [SERIES.found]: 5,
  [SERIES.clusterIp]: 0,
  [SERIES.certificateExpiring]: 0,
  [SERIES.certificatesUp]: 1,
  [SERIES.serverCertificateExpiring]: 0,
  [SERIES.serverCertificatesUp]: 1,
};

/** The series as promtool reads them; of those that a fault changes, the value or the gain while it lasts. */
export function inputSeries(fault: Readonly<Record<string, number>>): { series: string; values: string }[] {
  const unknown = Object.keys(fault).filter((series) => !(series in COUNTERS || series in GAUGES));
  if (unknown.length > 0) throw new Error(`No such series: ${unknown.join(', ')}`);
  const gauges = Object.entries(GAUGES).map(([series, usual]) => {
    const faulty = fault[series] ?? usual;
    const parts = [constant(usual, BEGIN), constant(faulty, LASTS), constant(usual, END - BEGIN - LASTS)];
    return { series, values: parts.join(' ') };
  });
  const counters = Object.entries(COUNTERS).map(([series, usual]) => {
    const faulty = fault[series] ?? usual;
    const [at, then] = [usual * BEGIN, usual * BEGIN + faulty * LASTS];
    const parts = [growing(0, usual, BEGIN), growing(at, faulty, LASTS), growing(then, usual, END - BEGIN - LASTS)];
    return { series, values: parts.join(' ') };
  });
  return [...gauges, ...counters];
}

const constant = (value: number, minutes: number): string => growing(value, 0, minutes);
/** `a+bxN` are N + 1 samples. */
const growing = (from: number, by: number, minutes: number): string => `${from}+${by}x${minutes - 1}`;
