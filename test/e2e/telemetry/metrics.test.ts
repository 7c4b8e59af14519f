import * as grpc from '@grpc/grpc-js';
import type { LoadBalancingOptions } from 'nestjs-grpc-lb';
import { METRICS, observeMetrics, type ObserveMetricsOptions } from 'nestjs-grpc-lb/opentelemetry';
import { describe, expect, test } from 'vitest';
import { freePort } from 'nestjs-grpc-lb/testing';
import { encodeReport } from '../../../libs/grpc-lb/src/server/orca-proto.js';
import { dnsSourceFactory, registerEndpointSource } from '../../../libs/grpc-lb/src/discovery/index.js';
import { VERSION } from '../../../libs/grpc-lb/src/telemetry/version.js';
import { balanced, type Balanced, call, connected, METHODS } from '../../support/calls/call.js';
import { FakeDns } from '../../support/discovery/fake-dns.js';
import { SilentDiscovery } from '../../support/echo/balanced-client.js';
import { answerAll, message, type RawCall, RawPeer } from '../../support/peers/raw-peer.js';
import { TcpProxy } from '../../support/peers/tcp-proxy.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import { OtelMetrics } from '../../support/telemetry/otel-metrics.js';

expectNoLeaks();

const METHOD = 'echo.v1.Echo/Say';
const methods = Object.values(METHODS).map((method) => ({
  service: 'echo.v1.Echo',
  method,
  responseStream: method === 'Repeat' || method === 'Talk',
  requestStream: method === 'Join' || method === 'Talk',
}));

async function peerThat(handle: (call: RawCall, number: number) => unknown): Promise<RawPeer> {
  const peer: RawPeer = new RawPeer((arrived) => handle(arrived, peer.calls.length));
  return peer.start();
}

const hello = (arrived: RawCall): unknown => answerAll(arrived, { messages: [message('hello')] });
const fails =
  (status: grpc.status) =>
  (arrived: RawCall): unknown =>
    answerAll(arrived, { trailers: { 'grpc-status': status } });

function measured(
  target: string,
  loadBalancing: LoadBalancingOptions = {},
  options: ObserveMetricsOptions = {},
): Balanced & { otel: OtelMetrics } {
  const otel = new OtelMetrics();
  const made = balanced(target, { methods, loadBalancing });
  closeWithTest(observeMetrics(made.channel, { meterProvider: otel.provider, ...options }));
  return { ...made, otel };
}

describe('calls (gRFC A66)', () => {
  test('are counted and measured by method, target and status, with the sizes of their messages', async () => {
    const peer = await peerThat((arrived, number) => (number < 3 ? hello(arrived) : fails(5)(arrived)));
    const { client, otel } = measured(peer.target);
    await connected(client);
    for (let i = 0; i < 3; i++) await call(client, 'unary', { requests: ['ask'] });
    await otel.collect();
    const target = peer.target;
    expect(otel.labels('grpc.client.attempt.started')).toEqual([{ 'grpc.method': METHOD, 'grpc.target': target }]);
    expect(otel.value('grpc.client.attempt.started')).toBe(3);
    for (const name of [
      'grpc.client.attempt.duration',
      'grpc.client.attempt.sent_total_compressed_message_size',
      'grpc.client.attempt.rcvd_total_compressed_message_size',
      'grpc.client.call.duration',
    ]) {
      expect(otel.values(name, 'grpc.method', 'grpc.target', 'grpc.status')).toEqual({
        [`${METHOD} ${target} OK`]: 2,
        [`${METHOD} ${target} NOT_FOUND`]: 1,
      });
      expect(Object.keys(otel.labels(name)[0]!)).toHaveLength(3);
    }
    const ok = { 'grpc.status': 'OK' };
    expect(otel.histogram('grpc.client.attempt.sent_total_compressed_message_size', ok).sum).toBe(6);
    expect(otel.histogram('grpc.client.attempt.rcvd_total_compressed_message_size', ok).sum).toBe(10);
    const [attempt, whole] = ['attempt', 'call'].map((what) => otel.histogram(`grpc.client.${what}.duration`, ok).sum!);
    expect(attempt).toBeGreaterThan(0);
    expect(whole).toBeGreaterThanOrEqual(attempt!);
  });

  test('have the attributes of the semantic conventions', async () => {
    const peer = await peerThat(fails(5));
    const { client, otel } = measured(peer.target);
    await call(client, 'unary');
    await otel.collect();
    expect(otel.labels('rpc.client.call.duration')).toEqual([
      {
        'rpc.system.name': 'grpc',
        'rpc.method': METHOD,
        'rpc.status_code': 'NOT_FOUND',
        'error.type': 'NOT_FOUND',
        'server.address': '127.0.0.1',
        'server.port': peer.port,
      },
    ]);
  });

  test('in compact form are one series for each status, with three buckets', async () => {
    const peer = await peerThat(hello);
    const options = { detail: 'compact', instruments: { 'grpc.client.attempt.duration': true } } as const;
    const { client, otel } = measured(peer.target, {}, options);
    for (const kind of ['unary', 'server streaming'] as const) await call(client, kind);
    await otel.collect();
    expect(otel.values('grpc.client.call.duration', 'grpc.method', 'grpc.status')).toEqual({ 'other OK': 2 });
    expect(otel.histogram('grpc.client.call.duration').buckets.boundaries).toEqual([0.01, 0.1, 1]);
    expect(otel.labels('rpc.client.call.duration')).toEqual([]);
    // Switched on by name, so with the buckets of A66.
    expect(otel.histogram('grpc.client.attempt.duration').buckets.boundaries).toHaveLength(41);
  });

  test('to methods that the client does not declare are "other", unless a filter names them', async () => {
    const peer = await peerThat(hello);
    const otel = new OtelMetrics();
    const { client, channel } = balanced(peer.target, { methods: methods.slice(1) });
    closeWithTest(observeMetrics(channel, { meterProvider: otel.provider }));
    await call(client, 'unary');
    expect((await otel.collect()).labels('grpc.client.call.duration')).toMatchObject([{ 'grpc.method': 'other' }]);
    expect(otel.labels('rpc.client.call.duration')).toMatchObject([{ 'rpc.method': '_OTHER' }]);

    const named = new OtelMetrics();
    const options = { meterProvider: named.provider, methodAttributeFilter: (method: string) => method === METHOD };
    closeWithTest(observeMetrics(channel, options));
    await call(client, 'unary');
    expect((await named.collect()).labels('grpc.client.call.duration')).toMatchObject([{ 'grpc.method': METHOD }]);
  });

  test('that fail before they are sent have an attempt, as one that was to be picked', async () => {
    const { client, otel } = measured(`static:///127.0.0.1:${await freePort()}`);
    await call(client, 'unary');
    await otel.collect();
    expect(otel.value('grpc.client.attempt.started')).toBe(1);
    expect(otel.values('grpc.client.attempt.duration', 'grpc.status')).toEqual({ UNAVAILABLE: 1 });
    expect(otel.value('grpc.subchannel.connection_attempts_succeeded')).toBe(0);
    expect(otel.value('grpc.subchannel.connection_attempts_failed')).toBeGreaterThan(0);
    expect(otel.value('grpc.lb.client.failing')).toBe(1);
  });

  test('that are still waiting for discovery at their deadline have no attempt', async () => {
    const { client, otel } = measured(new SilentDiscovery().target);
    const result = await call(client, 'unary', { deadline: Date.now() + 20 });
    expect(result.code).toBe(grpc.status.DEADLINE_EXCEEDED);
    await otel.collect();
    expect(otel.names).not.toContain('grpc.client.attempt.duration');
    expect(otel.values('grpc.client.call.duration', 'grpc.status')).toEqual({ DEADLINE_EXCEEDED: 1 });
    expect(otel.values('grpc.client.call.delay.duration', 'grpc.delay_type')).toEqual({ resolving: 1 });
    expect(otel.values('grpc.lb.pending', 'grpc.lb.wait_reason')).toMatchObject({ discovery: 0 });
  });
});

describe('attempts (gRFC A96)', () => {
  test('that are retries are counted for each call, with the time between them', async () => {
    const peer = await peerThat((arrived, number) => (number % 3 === 0 ? hello(arrived) : fails(14)(arrived)));
    const retry = { maxAttempts: 3, initialBackoff: 10, retryableStatusCodes: ['UNAVAILABLE'] } as const;
    const { client, otel } = measured(peer.target, { retry, ejection: { enabled: false } });
    await connected(client);
    expect((await call(client, 'unary')).code).toBe(grpc.status.OK);
    await otel.collect();
    expect(otel.value('grpc.client.attempt.started')).toBe(3);
    expect(otel.values('grpc.client.attempt.duration', 'grpc.status')).toEqual({ UNAVAILABLE: 2, OK: 1 });
    expect(otel.values('grpc.client.call.duration', 'grpc.status')).toEqual({ OK: 1 });
    expect(otel.histogram('grpc.client.call.retries')).toMatchObject({ count: 1, sum: 2 });
    expect(otel.histogram('grpc.client.call.retry_delay').sum).toBeGreaterThan(0.01);
    expect(otel.labels('grpc.client.call.retries')).toEqual([{ 'grpc.method': METHOD, 'grpc.target': peer.target }]);
    expect(otel.value('grpc.lb.retries_granted')).toBe(2);
    expect(otel.names).not.toContain('grpc.client.call.hedges');
  });

  test('that the budget does not allow are counted', async () => {
    const peer = await peerThat(fails(14));
    const retry = {
      maxAttempts: 2,
      initialBackoff: 1,
      budget: { ratio: 0, minPerSecond: 0 },
      throttling: false,
    } as const;
    const { client, otel } = measured(peer.target, { retry, ejection: { enabled: false } });
    await call(client, 'unary');
    await otel.collect();
    expect(otel.values('grpc.lb.retries_denied', 'grpc.lb.denied_by')).toEqual({ budget: 1, throttle: 0 });
    expect(otel.value('grpc.lb.retries_granted')).toBe(0);
  });

  test('that are hedges are counted, and those that win', async () => {
    const slow = await peerThat(() => {});
    const quick = await peerThat(hello);
    const target = `static:///${slow.address},${quick.address}`;
    const hedge = { maxAttempts: 2, delay: 5, maxShare: 1, methods: { Say: {} } };
    const { client, channel, otel } = measured(target, { hedge, policy: 'pick_first' });
    await connected(client);
    await expect.poll(() => channel.snapshot().endpoints.map(({ state }) => state)).toEqual(['ready', 'ready']);
    await call(client, 'unary');
    await otel.collect();
    expect(otel.histogram('grpc.client.call.hedges')).toMatchObject({ count: 1, sum: 1 });
    expect(otel.value('grpc.lb.hedges_won')).toBe(1);
    expect(otel.values('grpc.client.attempt.duration', 'grpc.status')).toEqual({ OK: 1, CANCELLED: 1 });
  });

  test('that were refused before they ran are transparent retries', async () => {
    const refuses = await peerThat(({ stream }) => stream.close(7));
    const answers = await peerThat(hello);
    const { client, channel, otel } = measured(`static:///${refuses.address},${answers.address}`, {
      policy: 'round_robin',
    });
    await connected(client);
    await expect.poll(() => channel.snapshot().endpoints.map(({ state }) => state)).toEqual(['ready', 'ready']);
    for (let i = 0; i < 2; i++) await call(client, 'unary');
    await otel.collect();
    const count = refuses.calls.length;
    expect(count).toBeGreaterThan(0);
    expect(otel.histogram('grpc.client.call.transparent_retries')).toMatchObject({ count, sum: count });
    expect(otel.names).not.toContain('grpc.client.call.retries');
  });
});

describe('delays (gRFC A121) and waits', () => {
  test('are told by their cause', async () => {
    const peer = await peerThat(hello);
    const discovery = new SilentDiscovery();
    const { client, otel } = measured(discovery.target);
    const running = call(client, 'unary');
    await otel.collect();
    expect(otel.values('grpc.lb.pending', 'grpc.lb.wait_reason')).toEqual({
      discovery: 1,
      connection: 0,
      stream_limit: 0,
    });
    discovery.setEndpoints([{ address: { host: '127.0.0.1', port: peer.port } }]);
    await running;
    await otel.collect();
    expect(otel.values('grpc.client.call.delay.duration', 'grpc.delay_type')).toEqual({ resolving: 1 });
    expect(otel.values('grpc.client.attempt.delay.duration', 'grpc.delay_type')).toEqual({ connecting: 1 });
    expect(Object.keys(otel.labels('grpc.client.attempt.delay.duration')[0]!).toSorted()).toEqual([
      'grpc.delay_type',
      'grpc.method',
      'grpc.target',
    ]);
    expect(otel.values('grpc.lb.wait.duration', 'grpc.lb.wait_reason')).toEqual({ discovery: 1, connection: 1 });
    expect(otel.values('grpc.lb.pending', 'grpc.lb.wait_reason')).toEqual({
      discovery: 0,
      connection: 0,
      stream_limit: 0,
    });
  });

  test('at the stream limit, and calls that are dropped', async () => {
    const peer = new RawPeer(() => {}, { maxConcurrentStreams: 1 });
    await peer.start();
    const { client, otel } = measured(peer.target, { pool: { maxSize: 1, maxPending: 1 } });
    await connected(client);
    const calls = [1, 2, 3].map(async () => {
      let cancel = (): void => {};
      const result = call(client, 'unary', { onCall: (started) => (cancel = () => started.cancel()) });
      return { result, cancel };
    });
    await peer.arrived(1);
    const running = await Promise.all(calls);
    const dropped = await Promise.race(running.map(({ result }) => result));
    expect(dropped.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    await otel.collect();
    expect(otel.values('grpc.lb.dropped', 'grpc.status')).toEqual({ RESOURCE_EXHAUSTED: 1 });
    expect(otel.value('grpc.lb.in_flight')).toBe(1);
    expect(otel.values('grpc.lb.pending', 'grpc.lb.wait_reason')).toMatchObject({ stream_limit: 1 });
    for (const { cancel } of running) cancel();
    await Promise.all(running.map(({ result }) => result));
    await otel.collect();
    expect(otel.values('grpc.lb.pending', 'grpc.lb.wait_reason')).toMatchObject({ stream_limit: 0 });
    expect(otel.value('grpc.lb.in_flight')).toBe(0);
    expect(otel.values('grpc.lb.wait.duration', 'grpc.lb.wait_reason')).toMatchObject({ stream_limit: 1 });
    // Not a delay of A121.
    expect(otel.values('grpc.client.attempt.delay.duration', 'grpc.delay_type')).toEqual({});
  });

  test('with waitForReady while no endpoint is ready', async () => {
    const { client, otel } = measured(`static:///127.0.0.1:${await freePort()}`);
    await call(client, 'unary');
    const metadata = new grpc.Metadata({ waitForReady: true });
    await call(client, 'unary', { metadata, deadline: Date.now() + 20 });
    await otel.collect();
    expect(otel.values('grpc.client.attempt.delay.duration', 'grpc.delay_type')).toMatchObject({
      picker_failing_with_wait_for_ready: 1,
    });
    expect(otel.values('grpc.client.attempt.duration', 'grpc.status')).toEqual({
      UNAVAILABLE: 1,
      DEADLINE_EXCEEDED: 1,
    });
  });
});

describe('connections (gRFC A94)', () => {
  test('are counted when they open and close, with the reason', async () => {
    const peer = await peerThat(({ stream }) => stream.session!.goaway(0));
    const { client, channel, otel } = measured(peer.target);
    await connected(client);
    await otel.collect();
    expect(otel.value('grpc.subchannel.connection_attempts_succeeded')).toBe(1);
    expect(otel.value('grpc.subchannel.open_connections')).toBe(1);
    expect(otel.names).not.toContain('grpc.subchannel.disconnections');
    const running = call(client, 'unary', { deadline: Date.now() + 100 });
    await expect.poll(() => channel.snapshot().totals.connectionsClosed).toEqual({ 'GOAWAY NO_ERROR': 1 });
    await running;
    await otel.collect();
    expect(otel.values('grpc.subchannel.disconnections', 'grpc.target', 'grpc.disconnect_error')).toEqual({
      [`${peer.target} GOAWAY NO_ERROR`]: 1,
    });
  });

  test('that this side closes are a shutdown of the subchannel', async () => {
    const peer = await peerThat(hello);
    const discovery = new SilentDiscovery();
    const { client, channel } = measured(discovery.target);
    const running = call(client, 'unary');
    discovery.setEndpoints([{ address: { host: '127.0.0.1', port: peer.port } }]);
    await running;
    channel.close();
    expect(channel.snapshot().totals.connectionsClosed).toEqual({ 'subchannel shutdown': 1 });
  });

  test('that the network breaks are a reset', async () => {
    const peer = await peerThat(hello);
    const proxy = await new TcpProxy(peer.address).start();
    const { client, channel, otel } = measured(`static:///${proxy.address}`);
    await call(client, 'unary');
    proxy.reset();
    await expect.poll(() => channel.snapshot().totals.connectionsClosed).toEqual({ 'connection reset': 1 });
    await otel.collect();
    expect(otel.values('grpc.subchannel.disconnections', 'grpc.disconnect_error')).toEqual({ 'connection reset': 1 });
  });
});

test('updates of weights are those of weighted_round_robin (gRFC A78)', async () => {
  const report = encodeReport({
    cpu_utilization: 0,
    application_utilization: 0.5,
    rps_fractional: 100,
    eps: 0,
    utilization: {},
    named_metrics: {},
  });
  const trailers = { 'grpc-status': 0, 'endpoint-load-metrics-bin': report.toString('base64') };
  const reports = (arrived: RawCall): unknown => answerAll(arrived, { messages: [message('hello')], trailers });
  const peers = await Promise.all([peerThat(reports), peerThat(reports), peerThat(hello)]);
  const policy = { name: 'weighted_round_robin', blackoutPeriod: 0, weightUpdatePeriod: 100 } as const;
  const target = `static:///${peers.map(({ address }) => address).join(',')}`;
  const { client, channel, otel } = measured(target, { policy });
  await connected(client);
  await expect.poll(() => channel.snapshot().endpoints.every(({ state }) => state === 'ready')).toBe(true);
  // Until an update has seen the reports of two.
  await expect
    .poll(async () => {
      await call(client, 'unary');
      return (await otel.collect()).histogram('grpc.lb.wrr.endpoint_weights').sum;
    })
    .toBeGreaterThanOrEqual(400);
  expect(otel.value('grpc.lb.wrr.rr_fallback')).toBeGreaterThanOrEqual(1);
  expect(otel.value('grpc.lb.wrr.endpoint_weight_not_yet_usable')).toBeGreaterThanOrEqual(1);
  expect(otel.value('grpc.lb.wrr.endpoint_weight_stale')).toBe(0);
  expect(otel.labels('grpc.lb.wrr.endpoint_weights')).toEqual([{ 'grpc.target': target }]);
});

test('ejections are counted by their cause (gRFC A91)', async () => {
  const peers = await Promise.all([peerThat(fails(14)), peerThat(hello), peerThat(hello)]);
  const target = `static:///${peers.map(({ address }) => address).join(',')}`;
  const { client, channel, otel } = measured(target, { policy: 'round_robin' });
  await connected(client);
  await expect.poll(() => channel.snapshot().endpoints.every(({ state }) => state === 'ready')).toBe(true);
  while (channel.snapshot().endpoints.every(({ state }) => state !== 'ejected')) await call(client, 'unary');
  await otel.collect();
  expect(
    otel.values(
      'grpc.lb.outlier_detection.ejections_enforced',
      'grpc.target',
      'grpc.lb.outlier_detection.detection_method',
    ),
  ).toEqual({ [`${target} consecutive_failures`]: 1 });
  expect(otel.values('grpc.lb.endpoints', 'grpc.lb.endpoint.state')).toMatchObject({ ready: 2, ejected: 1 });
});

test('a cluster IP, the policy and the version are metrics', async () => {
  // As in a cluster whose API server is 127.0.0.1: the address is one of its Services.
  const dns = new FakeDns().a('orders.shop', 0, '127.0.0.1').set('AAAA orders.shop', 'ENODATA');
  const { resolver } = dns;
  const options = { resolver, kubernetesServiceHost: '127.0.0.1', refreshInterval: 100, minRefreshInterval: 100 };
  registerEndpointSource('dns', dnsSourceFactory(options), { replace: true });
  closeWithTest(() => registerEndpointSource('dns', dnsSourceFactory(), { replace: true }));
  const peer = await peerThat(hello);
  const { client, channel, otel } = measured(`dns://10.43.0.10/orders.shop:${peer.port}`, {
    policy: { name: 'random' },
  });
  await call(client, 'unary');
  await expect.poll(() => channel.snapshot().sources[0]!.clusterIp).toBe(true);
  await otel.collect();
  expect(otel.value('grpc.lb.discovery.cluster_ip')).toBe(1);
  expect(otel.values('grpc.lb.info', 'grpc.lb.policy', 'grpc.lb.version')).toEqual({ [`random ${VERSION}`]: 1 });
});

test('every metric that is collected is in the table, with its kind, unit and labels', async () => {
  const peer = await peerThat(hello);
  const { client, otel } = measured(peer.target, {}, { addresses: true });
  await call(client, 'unary');
  await otel.collect();
  expect(otel.names.length).toBeGreaterThan(30);
  for (const name of otel.names) {
    const definition = METRICS[name as keyof typeof METRICS];
    const { descriptor } = otel.data(name)!;
    expect(descriptor.unit).toBe(definition.unit);
    expect(descriptor.description).toBe(definition.description);
    const optional = new Set(definition.optionalLabels);
    for (const labels of otel.labels(name))
      expect(
        Object.keys(labels)
          .filter((label) => !optional.has(label))
          .toSorted(),
      ).toEqual(definition.labels.toSorted());
  }
  expect(await otel.scopes).toMatchObject([{ name: 'nestjs-grpc-lb' }]);
});

test('metrics that are switched off are not recorded', async () => {
  const peer = await peerThat(hello);
  const off = { 'rpc.client.call.duration': false, 'grpc.lb.panic': false } as const;
  const { client, otel } = measured(peer.target, {}, { instruments: off });
  await call(client, 'unary');
  await otel.collect();
  expect(otel.names).toContain('grpc.client.call.duration');
  for (const name of Object.keys(off)) expect(otel.names).not.toContain(name);
});

test('nothing is recorded after the end', async () => {
  const peer = await peerThat(hello);
  const otel = new OtelMetrics();
  const { client, channel } = balanced(peer.target, { methods });
  const stop = observeMetrics(channel, { meterProvider: otel.provider });
  stop();
  await call(client, 'unary');
  expect((await otel.collect()).names).toEqual([]);
});
