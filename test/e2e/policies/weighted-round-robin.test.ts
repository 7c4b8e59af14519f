import * as grpc from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import type { LoadBalancingOptions } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import type { WeightedRoundRobinConfig } from '../../../libs/grpc-lb/src/core/options/weighted-round-robin-options.js';
import { encodeReport, OpenRcaService, type OrcaLoadReport } from '../../../libs/grpc-lb/src/server/orca-proto.js';
import { orcaService } from '../../../libs/grpc-lb/src/server/orca-service.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { deferred, Echo, type Line } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

type Report = Pick<OrcaLoadReport, 'rps_fractional'> & Partial<OrcaLoadReport>;

const NOTHING: OrcaLoadReport = {
  cpu_utilization: 0,
  application_utilization: 0,
  rps_fractional: 0,
  eps: 0,
  utilization: {},
  named_metrics: {},
};

/** A backend that reports the load that the test sets: with each answer, and out of band. */
class ReportingServer {
  calls = 0;
  /** Streams for reports that are open now. */
  watches = 0;
  intervals: number[] = [];
  changed = deferred();
  address = '';
  readonly #server = new grpc.Server({ 'grpc.max_concurrent_streams': 10 });

  constructor(public report: Report | undefined) {
    const full = (): OrcaLoadReport => ({ ...NOTHING, ...this.report });
    this.#server.addService(Echo.service, {
      Say: (_call: grpc.ServerUnaryCall<Line, Line>, done: grpc.sendUnaryData<Partial<Line>>) => {
        this.calls++;
        const trailers = new grpc.Metadata();
        if (this.report) trailers.set('endpoint-load-metrics-bin', encodeReport(full()));
        done(null, { server: this.address }, trailers);
      },
    });
    const { StreamCoreMetrics } = orcaService(full, 100);
    type Call = grpc.ServerWritableStream<{ report_interval: { seconds: number; nanos: number } }, OrcaLoadReport>;
    this.#server.addService(OpenRcaService, {
      StreamCoreMetrics: (call: Call) => {
        this.#changed(1);
        this.intervals.push(call.request.report_interval.seconds * 1000 + call.request.report_interval.nanos / 1e6);
        call.on('cancelled', () => this.#changed(-1));
        (StreamCoreMetrics as (call: Call) => void)(call);
      },
    });
  }

  async start(): Promise<this> {
    const port = await new Promise<number>((resolve, reject) => {
      const insecure = grpc.ServerCredentials.createInsecure();
      this.#server.bindAsync('127.0.0.1:0', insecure, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    this.address = `127.0.0.1:${port}`;
    onTestFinished(() => this.#server.forceShutdown());
    return this;
  }

  async watched(count: number): Promise<void> {
    while (this.watches !== count) await this.changed.promise;
  }

  #changed(by: number): void {
    this.watches += by;
    this.changed.resolve();
    this.changed = deferred();
  }
}

/** 200 and 400 by gRFC A58. */
const BUSY: Report = { rps_fractional: 100, application_utilization: 0.5 };
const FREE: Report = { rps_fractional: 100, cpu_utilization: 0.25 };

async function start(
  servers: readonly { address: string }[],
  policy: Partial<WeightedRoundRobinConfig>,
  more: LoadBalancingOptions = {},
) {
  const client = new BalancedClient({
    target: `static:///${servers.map(({ address }) => address).join(',')}`,
    loadBalancing: {
      policy: { weightUpdatePeriod: 100, blackoutPeriod: 0, ...policy, name: 'weighted_round_robin' },
      health: { enabled: false },
      ...more,
    },
  });
  onTestFinished(() => client.close());
  return client.ready(servers.length);
}

const chancesOf = (client: BalancedClient): number[] =>
  client.balanced.explain().endpoints.map(({ chance }) => Math.round(chance * 1000) / 1000);

/** Calls until the shares are these. */
async function callUntil(client: BalancedClient, chances: readonly number[]): Promise<void> {
  const wanted = chances.map((chance) => Math.round(chance * 1000) / 1000);
  while (JSON.stringify(chancesOf(client)) !== JSON.stringify(wanted)) await client.say();
}

async function sharesOf(client: BalancedClient, servers: readonly ReportingServer[], calls: number): Promise<number[]> {
  for (const server of servers) server.calls = 0;
  for (let i = 0; i < calls; i++) await client.say();
  return servers.map((server) => server.calls);
}

test('calls follow the reports in trailers, and a backend without any gets the mean: grpc-js gives it no calls', async () => {
  const servers = await Promise.all([BUSY, FREE, undefined].map((report) => new ReportingServer(report).start()));
  const client = await start(servers, {});
  await callUntil(client, [2 / 9, 4 / 9, 3 / 9]);
  // The sequence is exact except at its two ends.
  const shares = await sharesOf(client, servers, 450);
  [100, 200, 150].forEach((share, i) => expect(Math.abs(shares[i]! - share)).toBeLessThanOrEqual(3));
  expect(servers.map(({ watches }) => watches)).toEqual([0, 0, 0]);
});

test('calls follow new reports', async () => {
  const servers = await Promise.all([BUSY, FREE].map((report) => new ReportingServer(report).start()));
  const client = await start(servers, {});
  await callUntil(client, [1 / 3, 2 / 3]);
  servers[0]!.report = { ...FREE, eps: 0 };
  servers[1]!.report = { ...BUSY, eps: 50 };
  // 400, and 100 / (0.5 + 50 / 100).
  await callUntil(client, [4 / 5, 1 / 5]);
});

test('calls follow the metrics that the client chooses (gRFC A114), by the greatest of those that a backend reports', async () => {
  const reports: Report[] = [
    { ...FREE, named_metrics: { queue: 0.5 } },
    { ...FREE, named_metrics: { queue: 0.25 }, utilization: { disk: 0.2 } },
    { ...FREE, utilization: { disk: 1 } },
  ];
  const servers = await Promise.all(reports.map((report) => new ReportingServer(report).start()));
  const client = await start(servers, {
    metricNamesForComputingUtilization: ['named_metrics.queue', 'utilization.disk'],
  });
  // 200, 400 and 100.
  await callUntil(client, [2 / 7, 4 / 7, 1 / 7]);
  const shares = await sharesOf(client, servers, 350);
  [100, 200, 50].forEach((share, i) => expect(Math.abs(shares[i]! - share)).toBeLessThanOrEqual(3));
});

test('out of band, calls follow the reports of streams without any earlier call; the streams do not count as load', async () => {
  const servers = await Promise.all([BUSY, FREE].map((report) => new ReportingServer(report).start()));
  const client = await start(servers, { enableOobLoadReport: true, oobReportingPeriod: 250 });
  await Promise.all(servers.map((server) => server.watched(1)));
  expect(servers.map(({ intervals }) => intervals)).toEqual([[250], [250]]);
  expect(client.snapshot.inFlight).toBe(0);
  // One of the ten streams that the server allows is for the reports.
  for (const { connections } of client.snapshot.endpoints) expect(connections[0]!.maxConcurrentStreams).toBe(9);
  await eventually(() => JSON.stringify(chancesOf(client)) === '[0.333,0.667]');
  expect(servers.map(({ calls }) => calls)).toEqual([0, 0]);
});

test('out of band, reports in trailers are ignored', async () => {
  const servers = await Promise.all([BUSY, FREE].map((report) => new ReportingServer(report).start()));
  const client = await start(servers, { enableOobLoadReport: true, blackoutPeriod: 600_000 });
  expect(await sharesOf(client, servers, 40)).toEqual([20, 20]);
});

test('streams for reports end when the policy no longer needs them, and start when it does', async () => {
  const servers = await Promise.all([BUSY, FREE].map((report) => new ReportingServer(report).start()));
  const client = await start(servers, {});
  const watched = (count: number): Promise<unknown> => Promise.all(servers.map((server) => server.watched(count)));
  client.balanced.configure({ policy: { name: 'weighted_round_robin', enableOobLoadReport: true } });
  await watched(1);
  client.balanced.configure({
    policy: { name: 'weighted_round_robin', enableOobLoadReport: true, oobReportingPeriod: 500 },
  });
  while (servers.some(({ intervals }) => intervals.length < 2))
    await Promise.race(servers.map((server) => server.changed.promise));
  await watched(1);
  client.balanced.configure({ policy: 'round_robin' });
  await watched(0);
  expect(servers[0]!.intervals).toEqual([10_000, 500]);
  await client.say();
});

test('a server that does not report out of band causes one event, and gets its calls', async () => {
  const servers = await startBackends(2);
  const client = await start(servers, { enableOobLoadReport: true });
  const told = (): number => client.events.filter(({ type }) => type === 'load_reports_not_offered').length;
  await client.until(() => told() > 0);
  for (let i = 0; i < 10; i++) await client.say();
  expect(servers.map(({ calls }) => calls)).toEqual([5, 5]);
  expect(told()).toBe(1);
});

test('an invalid out-of-band report causes an event with its backend', async () => {
  const sound = await new ReportingServer({ rps_fractional: 1, application_utilization: 0.5 }).start();
  const wrong = await new ReportingServer({ rps_fractional: -1 }).start();
  const client = await start([sound, wrong], { enableOobLoadReport: true });
  const told = (): unknown => client.events.find(({ type }) => type === 'load_report_rejected');
  await client.until(() => told() !== undefined);
  expect(told()).toMatchObject({ address: wrong.address, total: 1 });
});

test('fixed weights from discovery are kept exactly', async () => {
  const servers = await startBackends(2);
  const [heavy, light] = servers.map(({ address }) => address);
  const client = new BalancedClient({
    target: `static:///${heavy};weight=2,${light}`,
    loadBalancing: { policy: { name: 'weighted_round_robin', weights: 'fixed' } },
  });
  onTestFinished(() => client.close());
  await client.ready(2);
  for (let i = 0; i < 300; i++) await client.say();
  [200, 100].forEach((calls, i) => expect(Math.abs(servers[i]!.calls - calls)).toBeLessThanOrEqual(1));
});
