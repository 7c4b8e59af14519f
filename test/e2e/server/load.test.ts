import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { RpcException } from '@nestjs/microservices';
import { expect, onTestFinished, test } from 'vitest';
import { deferred, type Line } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';
import { echoClient, type EchoClient, failureOf, say, startEcho } from '../../support/server/app.js';

expectNoLeaks();

interface Report {
  cpu_utilization: number;
  application_utilization: number;
  rps_fractional: number;
  eps: number;
  utilization: Record<string, number>;
  named_metrics: Record<string, number>;
}

// The definitions from grpc-js, not those of this package.
const grpcJs = dirname(createRequire(import.meta.url).resolve('@grpc/grpc-js/package.json'));
const includeDirs = ['xds', 'protoc-gen-validate'].map((name) => join(grpcJs, 'proto', name));
const orca = loadSync('xds/service/orca/v3/orca.proto', { includeDirs, keepCase: true, defaults: true, longs: Number });

/** A client of a service by its full name; it closes when the test ends. */
function clientOf<T>(loaded: PackageDefinition, service: string, address: string): T {
  const found = service
    .split('.')
    .reduce<unknown>((each, part) => (each as GrpcObject)[part], loadPackageDefinition(loaded));
  const client = new (found as ServiceClientConstructor)(address, credentials.createInsecure());
  onTestFinished(() => client.close());
  return client as T;
}

interface OrcaClient {
  streamCoreMetrics(request: object): ClientReadableStream<Report>;
}

const orcaClient = (address: string): OrcaClient => clientOf(orca, 'xds.service.orca.v3.OpenRcaService', address);

const decode = orca['xds.service.orca.v3.OpenRcaService'] as unknown as {
  StreamCoreMetrics: { responseDeserialize(bytes: Buffer): Report };
};

const echo = (address: string): EchoClient => echoClient(address, credentials.createInsecure());

/** A call, its report and how it ended. */
function reported(client: EchoClient): Promise<{ reports: Report[]; error: ServiceError | null }> {
  return new Promise((resolve) => {
    let failed: ServiceError | null = null;
    const call = client.say({ text: 'x' }, {}, (error) => (failed = error));
    call.on('status', ({ metadata }: { metadata: Metadata }) => {
      const reports = metadata.get('endpoint-load-metrics-bin') as Buffer[];
      // The callback comes after the status.
      setImmediate(() =>
        resolve({
          reports: reports.map((bytes) => decode.StreamCoreMetrics.responseDeserialize(bytes)),
          error: failed,
        }),
      );
    });
  });
}

test('every call, failed ones too, ends with one load report that any ORCA client can read', async () => {
  const backend = await startEcho({ loadReports: { window: 500 } });
  const client = echo(backend.address);
  const [release, arrived] = [deferred(), deferred()];
  backend.handlers.say = async (line: Line) => {
    arrived.resolve();
    await release.promise;
    return line;
  };
  const held = say(client);
  await arrived.promise;
  backend.handlers.say = () => {
    throw new RpcException({ code: status.INTERNAL, message: 'no' });
  };
  let last: { reports: Report[]; error: ServiceError | null };
  do last = await reported(client);
  while (last.reports[0]!.eps === 0);
  expect(last.error?.code).toBe(status.INTERNAL);
  expect(last.reports).toHaveLength(1);
  const report = last.reports[0]!;
  expect(report.named_metrics['in_flight']).toBe(1);
  expect(report.rps_fractional).toBeGreaterThanOrEqual(report.eps);
  expect(report.application_utilization).toBeGreaterThan(0);
  expect(report.application_utilization).toBeLessThanOrEqual(1);
  expect(report.utilization).toEqual({ event_loop: report.application_utilization });
  expect(report.cpu_utilization).toBeGreaterThan(0);
  expect(report.named_metrics['event_loop_lag_ms']).toBeGreaterThanOrEqual(0);
  // Only failures have ended.
  expect(report.named_metrics).not.toHaveProperty('call_duration_ms');
  release.resolve();
  await held;
  expect(backend.server.load().inFlight).toBe(0);
  const { reports } = await reported(client);
  const duration = reports[0]!.named_metrics['call_duration_ms']!;
  expect(duration).toBeGreaterThan(0);
  expect(backend.server.load().callDuration).toBeGreaterThan(0);
});

test("an application's own report is merged over that of the server: its fields win, and nothing is lost", async () => {
  const own = { application_utilization: 0.75, named_metrics: { queue: 7, in_flight: 3 } };
  const { responseSerialize } = orca['xds.service.orca.v3.OpenRcaService']!['StreamCoreMetrics' as never] as {
    responseSerialize(report: object): Buffer;
  };
  const interceptor: ServerInterceptor = (_method, call) =>
    new ServerInterceptingCall(call, {
      sendStatus: (ending, next) => {
        const metadata = ending.metadata ?? new Metadata();
        metadata.set('endpoint-load-metrics-bin', responseSerialize(own));
        next({ ...ending, metadata });
      },
    });
  const backend = await startEcho({}, { channelOptions: { interceptors: [interceptor] } as never });
  const { reports } = await reported(echo(backend.address));
  expect(reports).toHaveLength(1);
  expect(reports[0]).toMatchObject(own);
  expect(reports[0]!.named_metrics).toHaveProperty('event_loop_lag_ms');
  expect(reports[0]!.utilization).toHaveProperty('event_loop');
});

test('a report has the current delay of the event loop', async () => {
  const backend = await startEcho();
  const client = echo(backend.address);
  backend.handlers.say = (line: Line) => {
    const until = performance.now() + 30;
    while (performance.now() < until);
    return line;
  };
  const reports = async (): Promise<number> =>
    (await reported(client)).reports[0]!.named_metrics['event_loop_lag_now_ms']!;
  await reports();
  // The handler ends in the turn in which it began: the next report is about that turn.
  expect(await reports()).toBeGreaterThanOrEqual(25);
  expect(backend.server.load().eventLoopLagNow).toBeGreaterThanOrEqual(25);
});

test('out of band, the first report is sent at once, however long the interval', async () => {
  const backend = await startEcho({ loadReports: { minInterval: 3_600_000 } });
  const stream = orcaClient(backend.address).streamCoreMetrics({});
  stream.on('error', () => {});
  const [report] = (await once(stream, 'data')) as [Report];
  expect(report.named_metrics).toHaveProperty('in_flight', 0);
  stream.cancel();
});

test('out of band, reports are sent at the requested interval, but not below the minimum', async () => {
  const backend = await startEcho({ loadReports: { minInterval: 100 } });
  const stream = orcaClient(backend.address).streamCoreMetrics({ report_interval: { seconds: 0, nanos: 1_000_000 } });
  const started = performance.now();
  const times: number[] = [];
  const reports: Report[] = [];
  for await (const report of stream as AsyncIterable<Report>) {
    times.push(performance.now() - started);
    reports.push(report);
    if (reports.length === 4) break;
  }
  // Three intervals of a timer, which may be a millisecond early.
  expect(times[3]).toBeGreaterThanOrEqual(3 * 100 - 3);
  // The stream itself does not count as load.
  expect(reports[3]!.named_metrics['in_flight']).toBe(0);
});

test('the end of a call counts once however it ends, and a cancellation is not a failure', async () => {
  const backend = await startEcho({ loadReports: { trailer: false } });
  const client = echo(backend.address);
  const arrived = deferred();
  backend.handlers.say = () => {
    arrived.resolve();
    return new Promise<Line>(() => {});
  };
  const call = client.say({}, {}, () => {});
  await arrived.promise;
  expect(backend.server.load().inFlight).toBe(1);
  call.cancel();
  const late = await failureOf(say(client, 'x', 50));
  expect(late.code).toBe(status.DEADLINE_EXCEEDED);
  await eventually(() => backend.server.load().inFlight === 0);
  const stream = client.repeat({});
  stream.on('error', () => {});
  await eventually(() => backend.server.load().inFlight === 1);
  stream.cancel();
  await eventually(() => backend.server.load().inFlight === 0);
  backend.handlers.say = (line) => line;
  expect((await reported(client)).reports).toEqual([]);
  await backend.close();
  expect(backend.server.load().inFlight).toBe(0);
});

test('loadReports: false disables both', async () => {
  const backend = await startEcho({ loadReports: false });
  expect((await reported(echo(backend.address))).reports).toEqual([]);
  const stream = orcaClient(backend.address).streamCoreMetrics({});
  const error = await failureOf(once(stream.resume(), 'end'));
  expect(error.code).toBe(status.UNIMPLEMENTED);
});

interface ReflectionClient {
  serverReflectionInfo(): ClientDuplexStream<object, object>;
}

test('reflection lists the services of the application and those of the server itself', async () => {
  const backend = await startEcho({ reflection: true });
  const root = dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));
  const proto = loadSync(join(root, 'build/proto/grpc/reflection/v1/reflection.proto'));
  const client = clientOf<ReflectionClient>(proto, 'grpc.reflection.v1.ServerReflection', backend.address);
  const stream = client.serverReflectionInfo();
  stream.write({ listServices: '*' });
  const [answer] = (await once(stream, 'data')) as [{ listServicesResponse: { service: { name: string }[] } }];
  expect(answer.listServicesResponse.service.map(({ name }) => name).toSorted()).toEqual([
    'echo.v1.Echo',
    'echo.v1.Mirror',
    'grpc.health.v1.Health',
    'xds.service.orca.v3.OpenRcaService',
  ]);
  stream.end();
  await once(stream, 'end');
});

test('tells clients that ask how many calls failed in a row; others only while it fails everything', async () => {
  const backend = await startEcho();
  const client = echo(backend.address);
  await Promise.all(Array.from({ length: 100 }, () => say(client)));
  const metrics = async (): Promise<Record<string, number>> => (await reported(client)).reports[0]!.named_metrics;
  expect(await metrics()).not.toHaveProperty('failures_in_a_row');
  backend.handlers.say = () => {
    throw new RpcException({ code: status.UNAVAILABLE, message: 'no database' });
  };
  for (let i = 0; i < 2; i++) await metrics();
  const third = performance.now();
  await metrics();
  const fourth = await metrics();
  expect(fourth['failures_in_a_row']).toBe(4);
  // Since the end of the third.
  expect(fourth['idle_ms']).toBeGreaterThanOrEqual(0);
  expect(fourth['idle_ms']).toBeLessThanOrEqual(performance.now() - third);
  expect(backend.server.load().failuresInARow).toBe(4);
  const asked = async (): Promise<Record<string, number>> => {
    const stream = orcaClient(backend.address).streamCoreMetrics({ report_interval: { seconds: 60, nanos: 0 } });
    stream.on('error', () => {});
    const [report] = (await once(stream, 'data')) as [Report];
    stream.cancel();
    return report.named_metrics;
  };
  expect(await asked()).toMatchObject({ failures_in_a_row: 4 });
  backend.handlers.say = (line) => line;
  expect(await metrics()).not.toHaveProperty('failures_in_a_row');
  expect(await asked()).toMatchObject({ failures_in_a_row: 0 });
});
