import { describe, expect, test } from 'vitest';
import { effectiveLoadBalancing } from '../../core/options/load-balancing.js';
import type { ClientSnapshot, EndpointSnapshot } from '../../core/snapshot.js';
import { Totals } from '../../core/totals.js';
import { canonicalTarget } from './canonical-target.js';
import { Collection } from './collection.js';
import { FairnessWindow } from './fairness.js';
import type { MetricName } from './metrics.js';
import { NamedAddresses } from './named-addresses.js';
import { serverAddressOf } from './server-address.js';
import { StateMetrics } from './state-metrics.js';

function endpoint(address: string, more: Partial<EndpointSnapshot> = {}): EndpointSnapshot {
  return {
    address,
    state: 'ready',
    since: 0,
    reason: null,
    weight: 1,
    priority: 0,
    locality: null,
    warmth: 1,
    failureRate: 0,
    refusalRate: 0,
    shed: {},
    shedding: false,
    inFlight: 0,
    streams: { open: 0, oldestMs: null, medianMs: null },
    started: 0,
    succeeded: 0,
    failed: 0,
    connections: [],
    ...more,
  };
}

const SOURCE = {
  target: 'dns:///orders:50051',
  kind: 'dns',
  state: 'ok',
  lastUpdate: 1000,
  staleForMs: null,
  error: null,
  clusterIp: false,
  dropped: 0,
  endpoints: 2,
  updates: 3,
  failures: 1,
} as const;

function snapshot(more: Partial<ClientSnapshot> = {}): ClientSnapshot {
  return {
    client: 'ORDERS',
    target: 'dns:///orders:50051',
    state: 'ready',
    loadBalancing: effectiveLoadBalancing(),
    source: SOURCE,
    sources: [SOURCE],
    priorities: [{ priority: 0, share: 1, endpoints: 2, healthy: 2, degraded: 0, crossZoneShare: null }],
    zone: null,
    inFlight: 0,
    pending: 0,
    panic: false,
    keepaliveTime: null,
    totals: new Totals().snapshot(),
    endpoints: [],
    ...more,
  };
}

/** The values of a metric by one of its labels. */
function collected(given: ClientSnapshot, metrics = new StateMetrics({ detail: 'full', maxAddresses: 0 }), now = 0) {
  const collection = new Collection();
  metrics.collect(given, collection.add, now, 6000);
  return (name: MetricName, label = 'grpc.lb.client'): Record<string, number> =>
    Object.fromEntries(Array.from(collection.samples(name), ({ labels, value }) => [String(labels[label]), value]));
}

describe('the state of a client', () => {
  test('counts endpoints and connections by their states', () => {
    const connection = { id: 1, inFlight: 0, maxConcurrentStreams: 1, ageMs: 0 };
    const values = collected(
      snapshot({
        endpoints: [
          endpoint('a:1', {
            inFlight: 7,
            connections: [
              { ...connection, state: 'ready', health: 'not_offered' },
              { ...connection, state: 'retiring', health: 'serving' },
            ],
          }),
          // Its slow start does not matter until it gets calls again.
          endpoint('b:1', { state: 'ejected', warmth: 0.5 }),
          endpoint('c:1', { warmth: 0.5 }),
        ],
      }),
    );
    expect(values('grpc.lb.endpoints', 'grpc.lb.endpoint.state')).toEqual({
      connecting: 0,
      degraded: 0,
      ready: 2,
      not_serving: 0,
      suspect: 0,
      ejected: 1,
      transient_failure: 0,
      draining: 0,
    });
    expect(values('grpc.lb.connections', 'grpc.lb.connection.state')).toMatchObject({ ready: 1, retiring: 1 });
    expect(values('grpc.lb.connections.health_not_offered')).toEqual({ ORDERS: 1 });
    expect(values('grpc.lb.endpoints.warming')).toEqual({ ORDERS: 1 });
    expect(values('grpc.lb.endpoint.in_flight.max')).toEqual({ ORDERS: 7 });
    expect(values('grpc.lb.keepalive.enabled')).toEqual({ ORDERS: 0 });
  });

  test('in compact form leaves out the states that no endpoint is in, and no alert looks at', () => {
    const compact = new StateMetrics({ detail: 'compact', maxAddresses: 0 });
    const all = collected(snapshot({ endpoints: [endpoint('a:1', { state: 'draining' })] }), compact);
    const states = all('grpc.lb.endpoints', 'grpc.lb.endpoint.state');
    expect(states).toEqual({
      connecting: 0,
      ready: 0,
      not_serving: 0,
      suspect: 0,
      ejected: 0,
      transient_failure: 0,
      draining: 1,
    });
  });

  test('says how old the list of each target is, and for how long it is stale', () => {
    const stale = { ...SOURCE, target: 'consul:///orders', kind: 'consul', state: 'stale', staleForMs: 2500 } as const;
    const values = collected(snapshot({ sources: [SOURCE, stale] }));
    const of = (name: MetricName) => values(name, 'grpc.lb.discovery.kind');
    expect(of('grpc.lb.discovery.up')).toEqual({ dns: 1, consul: 0 });
    expect(of('grpc.lb.discovery.age')).toEqual({ dns: 5, consul: 5 });
    expect(of('grpc.lb.discovery.stale')).toEqual({ dns: 0, consul: 2.5 });
    expect(of('grpc.lb.discovery.failures')).toEqual({ dns: 1, consul: 1 });
    expect(values('grpc.lb.priority.share', 'grpc.lb.priority')).toEqual({ '0': 1 });
  });

  test('has what is known of its certificates', () => {
    const tls = {
      state: 'ok',
      error: null,
      name: 'orders',
      fingerprint: 'ab',
      expires: 66_000,
      expiresInMs: 60_000,
      expiring: true,
      authorities: 1,
      authoritiesExpire: 3_606_000,
      lastUpdate: 1000,
      rotations: 3,
      rejections: 2,
      outdatedConnections: 4,
      replacementError: null,
    } as const;
    const values = collected(snapshot({ tls }));
    expect(values('grpc.lb.tls.certificate.time_left')).toEqual({ ORDERS: 60 });
    expect(values('grpc.lb.tls.certificate.expiring')).toEqual({ ORDERS: 1 });
    expect(values('grpc.lb.tls.authorities.time_left')).toEqual({ ORDERS: 3600 });
    expect(values('grpc.lb.tls.certificates.up')).toEqual({ ORDERS: 1 });
    expect(values('grpc.lb.tls.rotations')).toEqual({ ORDERS: 3 });
    expect(values('grpc.lb.tls.rejections')).toEqual({ ORDERS: 2 });
    expect(values('grpc.lb.tls.connections.outdated')).toEqual({ ORDERS: 4 });

    const rejected = collected(snapshot({ tls: { ...tls, state: 'rejected', expires: 1000 } }));
    expect(rejected('grpc.lb.tls.certificates.up')).toEqual({ ORDERS: 0 });
    expect(rejected('grpc.lb.tls.certificate.time_left')).toEqual({ ORDERS: -5 });
    const none = collected(snapshot({ tls: { ...tls, expires: null, authoritiesExpire: null } }));
    for (const name of ['certificate.time_left', 'certificate.expiring', 'authorities.time_left'] as const)
      expect(none(`grpc.lb.tls.${name}`)).toEqual({});
    expect(collected(snapshot())('grpc.lb.tls.certificates.up')).toEqual({});
  });

  test('has ejections by their method, and those that were prevented', () => {
    const totals = new Totals();
    totals.ejected('success_rate');
    totals.ejected('failed_probe');
    totals.ejected('failed_probe');
    totals.ejectionPrevented('consecutive_failures', 'last_healthy');
    const values = collected(snapshot({ totals: totals.snapshot() }));
    const label = 'grpc.lb.outlier_detection.detection_method';
    expect(values('grpc.lb.outlier_detection.ejections_enforced', label)).toEqual({ success_rate: 1, failed_probe: 2 });
    expect(values('grpc.lb.outlier_detection.ejections_unenforced', label)).toEqual({ consecutive_failures: 1 });
  });

  test('has attempts that were shed, by criticality', () => {
    expect(collected(snapshot())('grpc.lb.shed')).toEqual({});
    const totals = new Totals();
    for (const level of ['sheddable', 'critical', 'sheddable'] as const) totals.attemptShed(level);
    const values = collected(snapshot({ totals: totals.snapshot() }));
    expect(values('grpc.lb.shed', 'grpc.lb.criticality')).toEqual({ sheddable: 2, critical: 1 });
  });

  test('has streams that last, and moves by their reason, once there are some', () => {
    expect(collected(snapshot({ endpoints: [endpoint('a:1')] }))('grpc.lb.streams')).toEqual({});
    const totals = new Totals();
    for (const reason of ['rebalance', 'draining', 'rebalance'] as const) totals.streamMoved(reason);
    const endpoints = [
      endpoint('a:1', { streams: { open: 5, oldestMs: 60_000, medianMs: 10_000 } }),
      endpoint('b:1', { streams: { open: 3, oldestMs: 90_000, medianMs: 10_000 } }),
      endpoint('c:1', { state: 'draining', streams: { open: 1, oldestMs: 1000, medianMs: 1000 } }),
    ];
    const values = collected(
      snapshot({ totals: totals.snapshot(), endpoints }),
      new StateMetrics({ detail: 'full', maxAddresses: 10 }),
    );
    expect(values('grpc.lb.streams')).toEqual({ ORDERS: 9 });
    expect(values('grpc.lb.endpoint.streams.max')).toEqual({ ORDERS: 5 });
    expect(values('grpc.lb.endpoint.streams.min')).toEqual({ ORDERS: 3 });
    expect(values('grpc.lb.streams.oldest')).toEqual({ ORDERS: 90 });
    expect(values('grpc.lb.stream_moves', 'grpc.lb.move_reason')).toEqual({ rebalance: 2, draining: 1 });
    expect(values('grpc.lb.endpoint.streams', 'grpc.lb.endpoint.address')).toEqual({ 'a:1': 5, 'b:1': 3, 'c:1': 1 });
  });

  test('has retries only where a client may retry', () => {
    expect(collected(snapshot())('grpc.lb.retries_granted')).toEqual({});
    const loadBalancing = effectiveLoadBalancing({ retry: { maxAttempts: 2 } });
    expect(collected(snapshot({ loadBalancing }))('grpc.lb.retries_granted')).toEqual({ ORDERS: 0 });
  });
});

test('of a client that another library balances, only what is known has values', () => {
  const collection = new Collection();
  const delegated = snapshot({ target: 'xds:///orders', loadBalancing: null, priorities: [], endpoints: [] });
  new StateMetrics({ detail: 'full', maxAddresses: 10 }).collect(delegated, collection.add, 0, 0);
  const names = new Set(Array.from(collection, ([name]) => name));
  expect([...names].filter((name) => !name.startsWith('grpc.lb.discovery.'))).toEqual([
    'grpc.lb.info',
    'grpc.lb.client.ready',
    'grpc.lb.client.failing',
    'grpc.lb.keepalive.enabled',
  ]);
});

describe('addresses', () => {
  test('are no labels unless they are wanted', () => {
    const collection = new Collection();
    new StateMetrics({ detail: 'full', maxAddresses: 0 }).collect(
      snapshot({ endpoints: [endpoint('10.0.0.1:1')] }),
      collection.add,
      0,
      0,
    );
    for (const [, { labels }] of collection) expect(Object.values(labels).join(' ')).not.toContain('10.0.0.1');
  });

  test('beyond the limit are counted', () => {
    const values = collected(
      snapshot({ endpoints: [endpoint('a:1', { started: 3, failed: 1 }), endpoint('b:1'), endpoint('c:1')] }),
      new StateMetrics({ detail: 'full', maxAddresses: 2 }),
    );
    expect(values('grpc.lb.endpoint.attempts', 'grpc.lb.endpoint.address')).toEqual({ 'a:1': 3, 'b:1': 0 });
    expect(values('grpc.lb.endpoint.failures', 'grpc.lb.endpoint.address')).toEqual({ 'a:1': 1, 'b:1': 0 });
    expect(values('grpc.lb.addresses_omitted')).toEqual({ ORDERS: 1 });
  });

  test('stay the same while they are there', () => {
    const named = new NamedAddresses(2);
    const among = (...addresses: string[]): string[] =>
      named.among(addresses.map((address) => endpoint(address))).map(({ address }) => address);
    expect(among('a', 'b', 'c')).toEqual(['a', 'b']);
    expect(among('c', 'b', 'a')).toEqual(['b', 'a']);
    expect(among('c', 'b')).toEqual(['b', 'c']);
  });
});

describe('the fairness of shares', () => {
  const of = (...started: number[]): EndpointSnapshot[] =>
    started.map((count, i) => endpoint(`${i}:1`, { started: count }));

  test('is that of the last 15 s to 30 s, however often it is asked for', () => {
    const window = new FairnessWindow();
    expect(window.update(of(100, 0), 0)).toBeUndefined();
    expect(window.update(of(110, 30), 5000)).toEqual({ max: 1.5, min: 0.5 });
    expect(window.update(of(120, 40), 15_000)).toEqual({ max: 40 / 30, min: 20 / 30 });
    // Compared with the first one still.
    expect(window.update(of(160, 80), 20_000)).toEqual({ max: 80 / 70, min: 60 / 70 });
    expect(window.update(of(220, 140), 30_000)).toEqual({ max: 140 / 130, min: 120 / 130 });
    // Compared with that of 15 s.
    expect(window.update(of(280, 200), 45_000)).toEqual({ max: 1, min: 1 });
  });

  test('is unknown with few attempts, or with one endpoint', () => {
    const window = new FairnessWindow();
    window.update(of(0, 0), 0);
    expect(window.update(of(9, 10), 1000)).toBeUndefined();
    const single = new FairnessWindow();
    single.update(of(0), 0);
    expect(single.update(of(1000), 1000)).toBeUndefined();
  });

  test('leaves out an endpoint that counts from 0 again', () => {
    const window = new FairnessWindow();
    window.update(of(500, 0, 0), 0);
    expect(window.update(of(10, 40, 20), 1000)).toEqual({ max: 40 / 30, min: 20 / 30 });
  });

  test('leaves out endpoints that are not ready, start slowly, are new, or stand by', () => {
    const window = new FairnessWindow();
    const others = [
      endpoint('ejected', { state: 'ejected' }),
      endpoint('slow', { warmth: 0.5 }),
      endpoint('standby', { priority: 1 }),
    ];
    window.update([...of(0, 0), ...others], 0);
    const now = [...of(100, 100), ...others, endpoint('new', { started: 1 })];
    expect(window.update(now, 1000)).toEqual({ max: 1, min: 1 });
  });

  test('is that of the local zone, whose endpoints get more calls on purpose', () => {
    const zoned = (...started: number[]): EndpointSnapshot[] =>
      started.map((count, i) => endpoint(`${i}:1`, { started: count, locality: { zone: i < 2 ? 'a' : 'b' } }));
    const [inA, inC] = [new FairnessWindow(), new FairnessWindow()];
    for (const [window, zone] of [
      [inA, 'a'],
      [inC, 'c'],
    ] as const)
      window.update(zoned(0, 0, 0), 0, zone);
    expect(inA.update(zoned(100, 100, 10), 1000, 'a')).toEqual({ max: 1, min: 1 });
    // No endpoint is in the zone of this client, so all are alike to it.
    expect(inC.update(zoned(100, 100, 10), 1000, 'c')).toEqual({ max: 100 / 70, min: 10 / 70 });
  });
});

test.each([
  ['orders:50051', 'dns:///orders:50051'],
  ['orders', 'dns:///orders'],
  ['10.0.0.1:50051', 'dns:///10.0.0.1:50051'],
  ['dns:///orders:50051', 'dns:///orders:50051'],
  ['kubernetes:///orders.shop:grpc', 'kubernetes:///orders.shop:grpc'],
  ['unix:/run/orders.sock', 'unix:/run/orders.sock'],
  ['dns:///a:1 b:2', 'dns:///a:1 dns:///b:2'],
  [' dns:///a:1 ', 'dns:///a:1'],
  ['static:///a:1, b:2 ;weight=2', 'static:///a:1, b:2 ;weight=2'],
  ['static:///a:1, b:2 c:3', 'static:///a:1, b:2 dns:///c:3'],
])('the canonical form of %s is %s', (target, canonical) => {
  expect(canonicalTarget(target)).toBe(canonical);
});

test('a long target is cut: each series has it as a label', () => {
  expect(canonicalTarget(`static:///${'10.0.0.1:50051,'.repeat(1000)}`).length).toBeLessThanOrEqual(255);
});

// The first ones are the examples of the semantic conventions for gRPC.
test.each([
  ['grpc.io:50051', 'grpc.io', 50_051],
  ['dns://1.2.3.4/grpc.io:50051', 'grpc.io', 50_051],
  ['unix:///run/containerd/containerd.sock', '/run/containerd/containerd.sock', undefined],
  ['zk://zookeeper:2181/my-server', 'zk://zookeeper:2181/my-server', undefined],
  ['ipv4:198.51.100.123:50051,198.51.100.124:50051', 'ipv4:198.51.100.123:50051,198.51.100.124:50051', undefined],
  ['dns:///orders', 'orders', undefined],
  [' dns:///orders:50051 ', 'orders', 50_051],
  ['static:///[::1]:50051', '::1', 50_051],
  ['kubernetes:///orders.shop:grpc', 'kubernetes:///orders.shop:grpc', undefined],
])('server.address of %s is %s', (target, address, port) => {
  expect(serverAddressOf(target)).toEqual({
    'server.address': address,
    ...(port === undefined ? {} : { 'server.port': port }),
  });
});
