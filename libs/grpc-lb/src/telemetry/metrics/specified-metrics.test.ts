import { describe, expect, it, test } from 'vitest';
import { readFileSync } from 'node:fs';
import type { MetricDefinition } from './definition.js';
import { METRICS } from './metrics.js';
import { SPECIFIED_METRICS } from './specified-metrics.js';
import { prometheusName } from './prometheus-name.js';
import { VERSION } from '../version.js';

/**
 * The tables of the specifications: name, kind, unit, and labels (those in parentheses are optional). From
 * github.com/grpc/proposal (A66, A78, A89, A91, A94, A96, A118; A121 from pull request 556, as of 2026-10-01) and from
 * open-telemetry/semantic-conventions (RPC metrics).
 */
const TABLES = `
A66 | grpc.client.attempt.started | Counter | {attempt} | grpc.method, grpc.target
A66 | grpc.client.attempt.duration | Histogram | s | grpc.method, grpc.target, grpc.status, (grpc.lb.locality), (grpc.lb.backend_service)
A66 | grpc.client.attempt.sent_total_compressed_message_size | Histogram | By | grpc.method, grpc.target, grpc.status, (grpc.lb.locality), (grpc.lb.backend_service)
A66 | grpc.client.attempt.rcvd_total_compressed_message_size | Histogram | By | grpc.method, grpc.target, grpc.status, (grpc.lb.locality), (grpc.lb.backend_service)
A66 | grpc.client.call.duration | Histogram | s | grpc.method, grpc.target, grpc.status
A96 | grpc.client.call.retries | Histogram | {retry} | grpc.method, grpc.target
A96 | grpc.client.call.transparent_retries | Histogram | {transparent_retry} | grpc.method, grpc.target
A96 | grpc.client.call.hedges | Histogram | {hedge} | grpc.method, grpc.target
A96 | grpc.client.call.retry_delay | Histogram | s | grpc.method, grpc.target
A121 | grpc.client.call.delay.duration | Histogram | s | grpc.target, grpc.method, grpc.delay_type
A121 | grpc.client.attempt.delay.duration | Histogram | s | grpc.target, grpc.method, grpc.delay_type
A78 | grpc.lb.wrr.rr_fallback | Counter | {update} | grpc.target, (grpc.lb.locality), (grpc.lb.backend_service)
A78 | grpc.lb.wrr.endpoint_weight_not_yet_usable | Counter | {endpoint} | grpc.target, (grpc.lb.locality), (grpc.lb.backend_service)
A78 | grpc.lb.wrr.endpoint_weight_stale | Counter | {endpoint} | grpc.target, (grpc.lb.locality), (grpc.lb.backend_service)
A78 | grpc.lb.wrr.endpoint_weights | Histogram | {weight} | grpc.target, (grpc.lb.locality), (grpc.lb.backend_service)
A91 | grpc.lb.outlier_detection.ejections_enforced | Counter | {ejection} | grpc.target, grpc.lb.outlier_detection.detection_method, (grpc.lb.backend_service)
A91 | grpc.lb.outlier_detection.ejections_unenforced | Counter | {ejection} | grpc.target, grpc.lb.outlier_detection.detection_method, grpc.lb.outlier_detection.unenforced_reason, (grpc.lb.backend_service)
A94 | grpc.subchannel.disconnections | Counter | {disconnection} | grpc.target, (grpc.disconnect_error), (grpc.lb.locality), (grpc.lb.backend_service)
A94 | grpc.subchannel.connection_attempts_succeeded | Counter | {attempt} | grpc.target, (grpc.lb.locality), (grpc.lb.backend_service)
A94 | grpc.subchannel.connection_attempts_failed | Counter | {attempt} | grpc.target, (grpc.lb.locality), (grpc.lb.backend_service)
A94 | grpc.subchannel.open_connections | UpDown Counter | {connection} | grpc.target, (grpc.security_level), (grpc.lb.locality), (grpc.lb.backend_service)
A118 | grpc.client.tls.handshakes | Counter | {handshake} | grpc.tls.handshake.result, grpc.target, (grpc.tls.handshake.resumed), (grpc.lb.locality), (grpc.lb.backend_service)
semconv | rpc.client.call.duration | Histogram | s | rpc.system.name, (rpc.method), (rpc.status_code), (error.type), (server.address), (server.port)
`;

const LATENCY =
  '0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.013, ' +
  '0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 2, 5, ' +
  '10, 20, 50, 100';
const SIZE =
  '0, 1024, 2048, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864, 268435456, 1073741824, 4294967296';
/** The buckets that the specifications give; A78 gives none. */
const BUCKETS: Readonly<Record<string, string>> = {
  'grpc.client.attempt.duration': LATENCY,
  'grpc.client.attempt.sent_total_compressed_message_size': SIZE,
  'grpc.client.attempt.rcvd_total_compressed_message_size': SIZE,
  'grpc.client.call.duration': LATENCY,
  'grpc.client.call.retries': '1,2,3,4,5',
  'grpc.client.call.transparent_retries': '1,2,3,4,5,10',
  'grpc.client.call.hedges': '1,2,3,4,5',
  'grpc.client.call.retry_delay': LATENCY,
  'grpc.client.call.delay.duration': LATENCY,
  'grpc.client.attempt.delay.duration': LATENCY,
  'rpc.client.call.duration': '0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10',
};

const KINDS: Readonly<Record<string, string>> = {
  Counter: 'counter',
  Histogram: 'histogram',
  'UpDown Counter': 'up_down_counter',
};

const rows = TABLES.trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()) as [string, string, string, string, string]);
const all: Readonly<Record<string, MetricDefinition>> = METRICS;

describe('the metrics of the specifications', () => {
  test.each(rows)('%s: %s', (source, name, kind, unit, labels) => {
    const definition = all[name]!;
    expect(definition).toMatchObject({ source, kind: KINDS[kind], unit });
    const specified = labels.split(', ').map((label) => label.replace(/[()]/g, ''));
    const required = labels.split(', ').filter((label) => !label.startsWith('('));
    const ours = [...definition.labels, ...(definition.optionalLabels ?? [])];
    expect(specified).toEqual(expect.arrayContaining(ours));
    expect(definition.labels).toEqual(expect.arrayContaining(required));
  });

  test.each(Object.entries(BUCKETS))('%s has the buckets that are given', (name, buckets) => {
    expect(all[name]!.buckets).toEqual(buckets.split(',').map(Number));
  });

  it('are all here, and no others claim to be', () => {
    expect(Object.keys(SPECIFIED_METRICS).toSorted()).toEqual(rows.map(([, name]) => name).toSorted());
    const own = Object.entries(all).filter(([, { source }]) => source === 'own');
    expect(own.filter(([name]) => name in SPECIFIED_METRICS)).toEqual([]);
  });
});

describe('every metric', () => {
  test.each(Object.entries(all))('%s has buckets if it is a histogram, and only then', (_name, { kind, buckets }) => {
    expect(buckets !== undefined).toBe(kind === 'histogram');
  });

  it('has a name of its own in Prometheus', () => {
    const names = Object.entries(all).map(([name, definition]) => prometheusName(name, definition));
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
  });
});

test.each([
  ['grpc.client.attempt.started', 'grpc_client_attempt_started_total'],
  ['grpc.client.call.duration', 'grpc_client_call_duration_seconds'],
  [
    'grpc.client.attempt.sent_total_compressed_message_size',
    'grpc_client_attempt_sent_total_compressed_message_size_bytes',
  ],
  ['grpc.client.call.retries', 'grpc_client_call_retries'],
  ['grpc.lb.share.max', 'grpc_lb_share_max_ratio'],
  ['grpc.lb.discovery.age', 'grpc_lb_discovery_age_seconds'],
])("OpenTelemetry's %s is %s in Prometheus", (name, expected) => {
  expect(prometheusName(name, all[name]!)).toBe(expected);
});

test('the version is that of the package', () => {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  expect(VERSION).toBe((JSON.parse(text) as { version: string }).version);
});
