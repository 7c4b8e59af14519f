import { expect, test } from 'vitest';
import type { MetricDefinition } from './definition.js';
import { SERVER_METRICS } from './server-metrics.js';

const SIZES = [
  0, 1024, 2048, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864, 268_435_456,
  1_073_741_824, 4_294_967_296,
];
const LATENCY = [
  0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.013,
  0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 2, 5, 10,
  20, 50, 100,
];
const RPC = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

// Taken from gRFC A66, "Server Instruments", from A118, and from OpenTelemetry's `rpc-metrics.md` of August 2026, whose
// `server.address` and `server.port` are opt-in for servers.
const ENDED = ['grpc.method', 'grpc.status'];
const TABLE: [name: string, kind: string, unit: string, labels: string[], buckets?: number[]][] = [
  ['grpc.server.call.started', 'counter', '{call}', ['grpc.method']],
  ['grpc.server.call.sent_total_compressed_message_size', 'histogram', 'By', ENDED, SIZES],
  ['grpc.server.call.rcvd_total_compressed_message_size', 'histogram', 'By', ENDED, SIZES],
  ['grpc.server.call.duration', 'histogram', 's', ENDED, LATENCY],
  ['rpc.server.call.duration', 'histogram', 's', ['rpc.system.name', 'rpc.method', 'rpc.status_code'], RPC],
  ['grpc.server.tls.handshakes', 'counter', '{handshake}', ['grpc.tls.handshake.result']],
];

test('the metrics are those of the specifications', () => {
  const specified = Object.entries<MetricDefinition>(SERVER_METRICS).filter(([, { source }]) => source !== 'own');
  const all = specified.map(([name, { kind, unit, labels, ...more }]) =>
    more.buckets ? [name, kind, unit, [...labels], [...more.buckets]] : [name, kind, unit, [...labels]],
  );
  expect(all).toEqual(TABLE);
});
