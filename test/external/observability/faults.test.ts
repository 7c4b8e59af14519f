import { status as Status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DASHBOARDS } from '../../../deploy/observability/dashboards/all.js';
import { dnsSourceFactory, registerEndpointSource } from '../../../libs/grpc-lb/src/discovery/index.js';
import { FakeDns } from '../../support/discovery/fake-dns.js';
import { ManualDiscovery, SilentDiscovery } from '../../support/echo/balanced-client.js';
import { answerAll, message, type RawCall, RawPeer } from '../../support/peers/raw-peer.js';
import { TcpProxy } from '../../support/peers/tcp-proxy.js';
import { Backend } from './backend.js';
import { Caller, type CallerOptions } from './caller.js';
import { MetricsPage } from './metrics-page.js';
import { now, Prometheus } from './prometheus.js';

/** An hour of the rules lasts a minute here. */
const FACTOR = 60;
/** What clients retry and hedge. */
const CODES = ['UNAVAILABLE', 'RESOURCE_EXHAUSTED'] as const;
/** So that callers do not notice what the balancer can hide, and their error budget is not touched. */
const RETRY = { maxAttempts: 3, initialBackoff: 10, retryableStatusCodes: CODES } as const;
const PATIENCE = { timeout: 120_000, interval: 250 };

const page = new MetricsPage();
const backends = [new Backend(), new Backend(), new Backend()] as const;
const [first, second, third] = backends;
const prometheus = new Prometheus(FACTOR);
const began = now();
let discovery: ManualDiscovery;
let shop: Caller;
const features: Caller[] = [];
const peers: RawPeer[] = [];

const endpoints = (): { address: { host: string; port: number } }[] =>
  backends.map(({ port }) => ({ address: { host: '127.0.0.1', port } }));

function feature(options: Omit<CallerOptions, 'rate'> & { readonly rate?: number }): Caller {
  const caller = new Caller(page.registry, { rate: 5, ...options });
  features.push(caller);
  return caller;
}

async function peer(handle: (call: RawCall, number: number) => unknown): Promise<RawPeer> {
  const made: RawPeer = new RawPeer((arrived) => handle(arrived, made.calls.length));
  peers.push(made);
  return made.start();
}

const hello = (arrived: RawCall): unknown => answerAll(arrived, { messages: [message('hello')] });
const unavailable = (arrived: RawCall): unknown => answerAll(arrived, { trailers: { 'grpc-status': 14 } });

beforeAll(async () => {
  await page.start();
  for (const backend of backends) await backend.start();
  discovery = new ManualDiscovery();
  discovery.setEndpoints(endpoints());
  const ejection = { baseEjectionTime: 1000, maxEjectionTime: 3000 };
  shop = new Caller(page.registry, {
    name: 'SHOP',
    target: discovery.target,
    rate: 30,
    loadBalancing: { ejection, retry: RETRY },
  });
  await others();
  await prometheus.start([
    { job: 'shop', address: page.address },
    ...backends.map((backend, i) => ({
      job: 'echo',
      address: backend.page.address,
      labels: { app_kubernetes_io_version: i === 0 ? '1.1.0' : '1.0.0' },
    })),
  ]);
});

/** Clients of the same application that use what SHOP does not, so that each panel has something to show. */
async function others(): Promise<void> {
  // One attempt of four fails, and the only endpoint cannot be ejected.
  const flaky = await peer((arrived, number) => (number % 4 === 0 ? unavailable : hello)(arrived));
  const retry = {
    maxAttempts: 5,
    initialBackoff: 1,
    retryableStatusCodes: ['UNAVAILABLE'],
    budget: false,
    throttling: false,
  } as const;
  const ejection = { consecutiveFailures: 1 };
  feature({ name: 'RETRYING', target: flaky.target, loadBalancing: { retry, ejection, health: { enabled: false } } });

  const refusing = await peer((arrived, number) => (number % 10 === 0 ? arrived.stream.close(7) : hello(arrived)));
  feature({ name: 'REFUSED', target: refusing.target, loadBalancing: { retry: RETRY, health: { enabled: false } } });

  // Before the first scrape: of three calls at once one runs, one waits, and one is refused.
  const busy = await peer((arrived) => void setTimeout(() => hello(arrived), 200));
  const pool = { size: 1, maxSize: 1, maxConcurrentStreams: 1, maxPending: 1 };
  const crowd = { pool, health: { enabled: false } };
  const crowded = feature({ name: 'CROWDED', target: busy.target, rate: 0, loadBalancing: crowd });
  await Promise.all([crowded.call(), crowded.call(), crowded.call()]);

  const target = `static:///${backends.map(({ address }) => address).join(',')}`;
  feature({
    name: 'HEDGING',
    target,
    loadBalancing: { hedge: { methods: { Say: { delay: 0, nonFatalStatusCodes: CODES } } } },
  });
  feature({ name: 'WEIGHTED', target, loadBalancing: { policy: { name: 'weighted_round_robin' }, retry: RETRY } });
  const zones = new ManualDiscovery();
  zones.setEndpoints(endpoints().map((each, i) => ({ ...each, locality: { zone: i === 0 ? 'a' : 'b' } })));
  feature({ name: 'ZONED', target: zones.target, loadBalancing: { locality: { zone: 'a' }, retry: RETRY } });
  feature({
    name: 'FAILOVER',
    target: [`static:///${first.address}`, `static:///${second.address}`],
    loadBalancing: { retry: RETRY },
  });
}

afterAll(async () => {
  for (const each of [shop, ...features]) each.close();
  await prometheus.close();
  for (const each of peers) await each.close();
  for (const backend of backends) await backend.close();
  await page.close();
});

async function quiet(): Promise<void> {
  await expect
    .poll(async () => (await prometheus.firing()).map(({ labels }) => labels.alertname), PATIENCE)
    .toEqual([]);
}

/** A fault fires these alerts and no others, and they end with it. */
async function firesOnly(alerts: readonly string[], fault: () => unknown, remedy: () => unknown): Promise<void> {
  await quiet();
  const start = now();
  try {
    await fault();
    await expect.poll(() => prometheus.firedSince(start), PATIENCE).toEqual(alerts);
    for (const { annotations } of await prometheus.firing())
      expect(Object.values(annotations).join(' ')).not.toMatch(/error|<no value>|\{\{/i);
  } finally {
    await remedy();
  }
  await quiet();
  expect(await prometheus.firedSince(start)).toEqual(alerts);
}

/** A client that exists only while the fault lasts. */
function firesOnlyFor(alerts: readonly string[], options: CallerOptions): Promise<void> {
  let caller: Caller | undefined;
  return firesOnly(
    alerts,
    () => (caller = new Caller(page.registry, options)),
    () => caller!.close(),
  );
}

test('a quiet hour fires no alert', async () => {
  await new Promise((resolve) => setTimeout(resolve, 3_600_000 / FACTOR));
  expect(await prometheus.firedSince(began)).toEqual([]);
  // CROWDED has refused calls before the first scrape.
  const failed = 'increase(grpc_client_call_duration_seconds_count{grpc_status!="OK"}[10s]) > 0';
  expect(await prometheus.range(failed, began)).toEqual([]);
});

describe('a fault fires its alert, and no other:', () => {
  test('a backend dies', () =>
    firesOnly(
      ['GrpcLbBackendDown'],
      () => third.kill(),
      () => third.restart(),
    ));

  test('a backend reports NOT_SERVING', () =>
    firesOnly(
      ['GrpcLbBackendNotServing'],
      () => (third.serving = false),
      () => (third.serving = true),
    ));

  test('most backends report NOT_SERVING', () =>
    firesOnly(
      ['GrpcLbPanic'],
      () => (second.serving = third.serving = false),
      () => (second.serving = third.serving = true),
    ));

  test('a backend fails its calls', () =>
    firesOnly(
      ['GrpcLbBackendEjected'],
      // A status that is not an error of the server, so that its budget is not touched.
      () => (third.failures = { share: 1, code: Status.RESOURCE_EXHAUSTED }),
      () => (third.failures = { share: 0, code: Status.UNAVAILABLE }),
    ));

  test('one backend fails its calls, and the other is away', async () => {
    const [failing, proxy] = [await peer(unavailable), await new TcpProxy(first.address).start()];
    const both = new ManualDiscovery();
    both.setEndpoints([failing, proxy].map(({ port }) => ({ address: { host: '127.0.0.1', port } })));
    const ejection = { consecutiveFailures: 3, baseEjectionTime: 60_000 };
    const policy = { name: 'round_robin' } as const;
    const loadBalancing = { policy, retry: RETRY, ejection, health: { enabled: false } };
    let caller: Caller | undefined;
    await firesOnly(
      ['GrpcLbAllEjected'],
      async () => {
        const made = (caller = new Caller(page.registry, {
          name: 'DOOMED',
          target: both.target,
          rate: 0,
          loadBalancing,
        }));
        const states = (): string[] => made.channel.snapshot().endpoints.map(({ state }) => state);
        await expect.poll(states, PATIENCE).toEqual(['ready', 'ready']);
        while (!states().includes('ejected')) await made.call();
        await proxy.stop();
      },
      () => caller!.close(),
    );
  });

  test('no backend can be reached, and nobody calls', () =>
    firesOnly(
      ['GrpcLbClientFailing'],
      async () => {
        for (const each of [shop, ...features]) each.pause();
        for (const backend of backends) await backend.kill();
      },
      async () => {
        for (const backend of backends) await backend.restart();
        for (const each of [shop, ...features]) each.resume();
      },
    ));

  test('discovery fails', () =>
    firesOnly(
      ['GrpcLbDiscoveryStale'],
      () => discovery.fail('the name server does not answer'),
      () => discovery.setEndpoints(endpoints()),
    ));

  test('discovery has never answered', async () => {
    const silent = new SilentDiscovery();
    await firesOnlyFor(['GrpcLbDiscoveryFailed'], { name: 'LOST', target: silent.target, rate: 0 });
  });

  test('a client is given a cluster IP', async () => {
    const { resolver } = new FakeDns().a('orders.shop', 0, '127.0.0.1').set('AAAA orders.shop', 'ENODATA');
    // As in a cluster whose API server is 127.0.0.1.
    const options = { resolver, kubernetesServiceHost: '127.0.0.1', refreshInterval: 200, minRefreshInterval: 200 };
    registerEndpointSource('dns', dnsSourceFactory(options), { replace: true });
    const target = `dns://127.0.0.53/orders.shop:${first.port}`;
    await firesOnlyFor(['GrpcLbClusterIp'], { name: 'VIRTUAL', target, rate: 5 });
    registerEndpointSource('dns', dnsSourceFactory(), { replace: true });
  });

  test('every call has the same key', () =>
    firesOnlyFor(['GrpcLbBackendPinned'], {
      name: 'PINNED',
      target: discovery.target,
      rate: 10,
      loadBalancing: { policy: { name: 'ring_hash', by: 'x-key' } },
    }));

  test('the pool is full', async () => {
    const slow = await peer((arrived) => void setTimeout(() => hello(arrived), 200));
    const pool = { size: 1, maxSize: 1, maxConcurrentStreams: 2 };
    await firesOnlyFor(['GrpcLbPoolSaturated'], {
      name: 'FULL',
      target: slow.target,
      rate: 12,
      loadBalancing: { pool, health: { enabled: false } },
    });
  });

  test('keepalive is off', () =>
    firesOnlyFor(['GrpcLbKeepaliveOff'], {
      name: 'SILENT',
      target: `static:///${first.address}`,
      rate: 5,
      channelOptions: { 'grpc.keepalive_time_ms': -1 },
    }));

  // After the others, because a silence is remembered for an hour.
  test('a backend hangs', () =>
    firesOnly(
      ['GrpcLbBackendHangs'],
      () => third.hang(),
      () => third.resume(),
    ));

  test('a tenth of the answers are errors: both sides see it', async () => {
    await quiet();
    const start = now();
    for (const backend of backends) backend.failures = { share: 0.1, code: Status.INTERNAL };
    const alerts = ['GrpcClientErrorBudgetBurn', 'GrpcServerErrorBudgetBurn'];
    await expect.poll(() => prometheus.firedSince(start), PATIENCE).toEqual(alerts);
  });
});

describe.each(DASHBOARDS.map((each) => [each.title, each] as const))('%s', (_, { rows, variables }) => {
  const panels = rows.flatMap((row) => row.panels);

  test.each(panels.map((panel) => [panel.title, panel] as const))('%s returns data', async (__, { queries }) => {
    for (const { expr } of queries) {
      const query = expr.replaceAll('$__rate_interval', '2s').replaceAll(/"\$\w+"/g, '".*"');
      const series = await prometheus.range(query, began, 1);
      expect(
        series.some(({ values }) => values.some(([, value]) => value !== 'NaN')),
        query,
      ).toBe(true);
    }
  });

  test('its variables have values', async () => {
    for (const { series, of } of variables) {
      const query = `group by (${of}) (${series.replaceAll(/"\$\w+"/g, '".*"')})`;
      expect(
        (await prometheus.range(query, began, 1)).every(({ metric }) => metric[of] !== undefined),
        query,
      ).toBe(true);
    }
  });
});
