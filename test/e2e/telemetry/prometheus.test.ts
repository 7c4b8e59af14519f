import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import type { ClientGrpc } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { type ClientSnapshot, GrpcLbModule, GrpcLbRegistry, type LoadBalancingOptions } from 'nestjs-grpc-lb';
import type { BalancedChannel } from 'nestjs-grpc-lb/grpc';
import { traceExemplar } from 'nestjs-grpc-lb/opentelemetry';
import {
  GrpcLbPrometheusModule,
  type GrpcLbPrometheusOptions,
  METRICS,
  observeMetrics,
  prometheusName,
} from 'nestjs-grpc-lb/prometheus';
import { AggregatorRegistry, Counter, type OpenMetricsContentType, register, Registry } from 'prom-client';
import { lastValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { balanced, type Balanced, call, KINDS } from '../../support/calls/call.js';
import { echoOptions, type EchoStub, startApp, startError } from '../../support/nest/app.js';
import { answerAll, message, RawPeer } from '../../support/peers/raw-peer.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { inSpan, Tracing } from '../../support/telemetry/tracing.js';

expectNoLeaks();

/** Each series with its value, as the text format writes it. */
function seriesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

async function appWith(
  options: GrpcLbPrometheusOptions,
  more: readonly unknown[] = [],
  adapter: ExpressAdapter | FastifyAdapter = new ExpressAdapter(),
): Promise<{ app: INestApplication; url: string; say: () => Promise<unknown>; address: string }> {
  const [server] = await startBackends(1);
  const module = await Test.createTestingModule({
    imports: [
      ...(more as []),
      GrpcLbModule.forRoot(),
      GrpcLbPrometheusModule.forRoot(options),
      GrpcLbModule.forFeature([{ name: 'ECHO', options: echoOptions(server!.address) }]),
    ],
  }).compile();
  const app = module.createNestApplication(adapter);
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const stub = app.get<ClientGrpc>('ECHO', { strict: false }).getService<EchoStub>('Echo');
  return { app, url: await app.getUrl(), say: () => lastValueFrom(stub.say({ text: 'hi' })), address: server!.address };
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('in %s', (_name, adapter) => {
  test('the module serves its metrics and those of the process', async () => {
    const options = { registry: new Registry(), defaultMetrics: true };
    const { url, say, address } = await appWith(options, [], adapter());
    await say();
    const response = await fetch(`${url}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const series = seriesOf(await response.text());
    const labels = `grpc_method="echo.v1.Echo/Say",grpc_target="dns:///${address}"`;
    expect(series.get(`grpc_client_attempt_started_total{${labels}}`)).toBe(1);
    expect(series.get(`grpc_client_call_duration_seconds_count{${labels},grpc_status="OK"}`)).toBe(1);
    expect(series.get(`grpc_client_call_duration_seconds_bucket{le="+Inf",${labels},grpc_status="OK"}`)).toBe(1);
    const client = `grpc_lb_client="ECHO",grpc_target="dns:///${address}"`;
    expect(series.get(`grpc_lb_endpoints{${client},grpc_lb_endpoint_state="ready"}`)).toBe(1);
    expect(series.get(`grpc_lb_client_ready{${client}}`)).toBe(1);
    expect([...series.keys()]).toContain('process_cpu_user_seconds_total');
    options.registry.clear();
  });
});

test('the path may be another one, or none', async () => {
  const { url } = await appWith({ registry: new Registry(), path: 'internal/scrape' });
  expect((await fetch(`${url}/internal/scrape`)).status).toBe(200);
  expect((await fetch(`${url}/metrics`)).status).toBe(404);
  const none = await appWith({ registry: new Registry(), path: false });
  expect((await fetch(`${none.url}/metrics`)).status).toBe(404);
});

test('it shares the default registry with @willsoto/nestjs-prometheus', async () => {
  const prometheus = PrometheusModule.register({ defaultMetrics: { enabled: false } });
  const { app, url, say } = await appWith({ path: false }, [prometheus]);
  const own = new Counter({ name: 'orders_placed_total', help: 'Of the application.' });
  own.inc();
  await say();
  const series = seriesOf(await (await fetch(`${url}/metrics`)).text());
  expect(series.get('orders_placed_total')).toBe(1);
  expect([...series.keys()].some((name) => name.startsWith('grpc_client_attempt_started_total{'))).toBe(true);
  await app.close();
  // Nothing of it is left for the next application of the process.
  expect((await register.getMetricsAsJSON()).map(({ name }) => name)).toEqual(['orders_placed_total']);
  register.clear();
});

test('two applications of one process share a registry', async () => {
  const registry = new Registry();
  const one = await appWith({ registry });
  const two = await appWith({ registry });
  await Promise.all([one.say(), two.say()]);
  const started = (): string[] =>
    text.split('\n').filter((line) => line.startsWith('grpc_client_attempt_started_total{'));
  let text = await registry.metrics();
  expect(started()).toHaveLength(2);
  await one.app.close();
  text = await registry.metrics();
  expect(started()).toHaveLength(1);
  await two.app.close();
  expect(registry.getMetricsAsArray()).toEqual([]);
});

test('faulty options are rejected, all at once', async () => {
  const faulty = { path: '', registry: {}, maxAddresses: 0, instruments: { 'grpc.lb.panics': false } };
  expect(() => GrpcLbPrometheusModule.forRoot(faulty as never)).toThrow(
    /GrpcLbPrometheusModule\.forRoot.*path is "".*registry is {}.*maxAddresses is 0.*instruments\['grpc\.lb\.panics'\] is not an option; did you mean "grpc\.lb\.panic"/s,
  );
});

test('a registry exports the same clients once: twice it would count twice', async () => {
  const registry = new Registry();
  const two = [{ registry }, { registry, maxAddresses: 1 }].map((options) => GrpcLbPrometheusModule.forRoot(options));
  const { message: text } = await startError({ imports: [GrpcLbModule.forRoot(), ...two] });
  expect(text).toMatch(/registry exports these clients already; import GrpcLbPrometheusModule\.forRoot once/);
});

test.each(['its client', 'the channel of its client'])('that goes for an application and %s', async (part) => {
  const registry = new Registry();
  const { app } = await appWith({ registry });
  const clients = app.get(GrpcLbRegistry, { strict: false });
  const handle = clients.get('ECHO');
  const source =
    part === 'its client' ? handle : (handle.getClientByServiceName('Echo').getChannel() as BalancedChannel);
  expect(() => observeMetrics(source, { registry })).toThrow(/registry exports these clients already/);
  const other = { registry: new Registry() };
  const stop = observeMetrics(source, other);
  expect(() => observeMetrics(clients, other)).toThrow(/registry exports these clients already/);
  expect(() => observeMetrics(handle, other)).toThrow(/registry exports these clients already/);
  stop();
  observeMetrics(clients, other)();
});

test('a registry that has a metric of that name from elsewhere stays as it is', async () => {
  const registry = new Registry();
  const name = prometheusName('grpc.lb.panic', METRICS['grpc.lb.panic']);
  new Counter({ name, help: 'of the application', registers: [registry] });
  const { channel } = balanced('static:///127.0.0.1:1');
  expect(() => observeMetrics(channel, { registry })).toThrow(
    `Prometheus metrics: an option is invalid\n  - registry has a metric ${name} from elsewhere; use another registry`,
  );
  expect(registry.getMetricsAsArray()).toHaveLength(1);
  registry.clear();
  observeMetrics(channel, { registry })();
});

test('it needs GrpcLbModule', async () => {
  const { message: text } = await startError({
    imports: [GrpcLbPrometheusModule.forRoot({ registry: new Registry() })],
  });
  expect(text).toMatch(/^GrpcLbPrometheusModule: .*GrpcLbModule\.forRoot\(\) is missing; add it/s);
});

async function observed(
  loadBalancing: LoadBalancingOptions = {},
): Promise<{ registry: Registry; channel: Balanced['channel']; say: () => Promise<unknown>; stop: () => void }> {
  const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
  const methods = [{ service: 'echo.v1.Echo', method: 'Say', responseStream: false }];
  const { client, channel } = balanced(peer.target, { methods, loadBalancing });
  const registry = new Registry();
  const stop = observeMetrics(channel, { registry });
  onTestFinished(stop);
  return { registry, channel, say: () => call(client, 'unary'), stop };
}

test('without Nest: every series has the name and the labels of the table', async () => {
  const { registry, say } = await observed();
  await say();
  const known = new Map(
    Object.entries(METRICS).map(([name, definition]) => [prometheusName(name, definition), definition]),
  );
  const metrics = await registry.getMetricsAsJSON();
  expect(metrics.map(({ name }) => name).toSorted()).toEqual([...known.keys()].toSorted());
  for (const { name, help, type } of metrics) {
    const { description, kind } = known.get(name)!;
    expect(help).toBe(description);
    expect(type).toBe(kind === 'up_down_counter' ? 'gauge' : (kind as unknown));
  }
});

test('counters of a target do not fall when one of its clients is closed, or is no longer exported', async () => {
  const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
  const registry = new Registry();
  const [one, other] = [balanced(peer.target), balanced(peer.target)];
  const [stopOne, stopOther] = [one, other].map(({ channel }) => observeMetrics(channel, { registry }));
  onTestFinished(stopOne!);
  for (const { client } of [one, other]) await call(client, 'unary');
  const labels = `grpc_target="${peer.target}"`;
  const counters = async (): Promise<unknown[]> => {
    const series = seriesOf(await registry.metrics());
    return [
      series.get(`grpc_client_attempt_started_total{grpc_method="other",${labels}}`),
      series.get(`grpc_subchannel_connection_attempts_succeeded_total{${labels}}`),
    ];
  };
  const before = await counters();
  expect(before[0]).toBe(2);
  other.channel.close();
  expect(await counters()).toEqual(before);
  stopOther!();
  expect(await counters()).toEqual(before);
  expect([...seriesOf(await registry.metrics()).keys()].filter((name) => name.startsWith('grpc_lb_info'))).toHaveLength(
    1,
  );
});

test('buckets are cumulative, up to the count, and inclusive', async () => {
  const { registry, say } = await observed();
  await say();
  const name = 'grpc_client_attempt_sent_total_compressed_message_size_bytes';
  const series = seriesOf(await registry.getSingleMetricAsString(name));
  const buckets = [...series].filter(([key]) => key.startsWith(`${name}_bucket`)).map(([, value]) => value);
  // Three bytes: not in the bucket of 0, and in all others.
  expect(buckets).toEqual([0, ...Array.from({ length: 14 }, () => 1)]);
  const at = (suffix: string): unknown => [...series].find(([key]) => key.startsWith(`${name}_${suffix}`))?.[1];
  expect([at('sum'), at('count')]).toEqual([3, 1]);
});

test('50 clients that call several methods have fewer than 2000 series in compact form', async () => {
  // The third answer of each method is another one.
  const statuses = [0, 5, 14];
  const peer: RawPeer = await new RawPeer((arrived) => {
    const status = statuses[Math.floor((peer.calls.length - 1) / KINDS.length) % 3];
    return answerAll(arrived, { messages: [message('hello')], trailers: { 'grpc-status': status } });
  }).start();
  const { client, channel } = balanced(peer.target);
  const registry = new Registry();
  onTestFinished(observeMetrics(channel, { registry, detail: 'compact' }));
  for (const _ of statuses) for (const kind of KINDS) await call(client, kind);
  const series = [...seriesOf(await registry.metrics()).keys()];
  const durations = series.filter((name) => name.startsWith('grpc_client_call_duration_seconds'));
  expect(durations).toHaveLength(3 * (3 + 3));
  expect(durations.every((name) => name.includes('grpc_method="other"'))).toBe(true);
  // One more once the shares of the endpoints can be compared.
  expect((series.length + 1) * 50).toBeLessThan(2000);
});

test('it is readable as OpenMetrics, again and again, and as part of a cluster', async () => {
  const { registry, say } = await observed();
  await say();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  for (let i = 0; i < 2; i++) {
    const text = await registry.metrics();
    expect(text).toContain('# TYPE grpc_client_attempt_started counter\n');
    expect(text).toMatch(/^grpc_client_attempt_started_total\{[^}]*\} 1$/m);
    expect(text.endsWith('# EOF\n')).toBe(true);
  }
  registry.setContentType(Registry.PROMETHEUS_CONTENT_TYPE);
  const worker = await registry.getMetricsAsJSON();
  const whole = AggregatorRegistry.aggregate([worker, structuredClone(worker)] as never);
  const sums = seriesOf(await whole.metrics());
  const count = [...sums].find(([key]) => key.startsWith('grpc_client_call_duration_seconds_count'))?.[1];
  expect(count).toBe(2);
});

test('one worker in trouble is seen in the metrics of its cluster', async () => {
  const { channel } = balanced('static:///127.0.0.1:1', { methods: [] });
  const snapshot = channel.snapshot();
  const [source] = snapshot.sources;
  const workers = [
    { ...snapshot, state: 'ready', sources: [{ ...source, state: 'ok', endpoints: 3 }] },
    { ...snapshot, state: 'transient_failure', sources: [{ ...source, state: 'failing', endpoints: 0 }] },
  ] as unknown as ClientSnapshot[];
  const metrics = workers.map((each) => {
    const registry = new Registry();
    onTestFinished(observeMetrics({ snapshot: () => each, observe: () => () => {} }, { registry }));
    return registry.getMetricsAsJSON();
  });
  const whole = AggregatorRegistry.aggregate((await Promise.all(metrics)) as never);
  const series = [...seriesOf(await whole.metrics())];
  const value = (name: string) => series.find(([key]) => key.startsWith(`grpc_lb_${name}{`))?.[1];
  const names = ['client_ready', 'client_failing', 'discovery_up', 'discovery_endpoints'];
  expect(names.map((name) => [name, value(name)])).toEqual([
    ['client_ready', 0],
    ['client_failing', 1],
    ['discovery_up', 0],
    ['discovery_endpoints', 0],
  ]);
});

describe('exemplars', () => {
  async function scraped(exemplars: () => never, around: (act: () => Promise<unknown>) => Promise<unknown>) {
    const peer = await new RawPeer((arrived) => answerAll(arrived, { messages: [message('hello')] })).start();
    const { client, channel } = balanced(peer.target);
    const registry = new Registry<OpenMetricsContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    onTestFinished(observeMetrics(channel, { registry, exemplars }));
    await around(() => call(client, 'unary'));
    const text = await registry.metrics();
    return text.split('\n').filter((line) => line.startsWith('grpc_client_call_duration_seconds_bucket'));
  }

  test('lead from one bucket to the sampled trace in which the call was made', async () => {
    const tracing = new Tracing();
    const lines = await scraped(traceExemplar as never, (act) => inSpan('order', act));
    const { traceId, spanId } = tracing.named('order').spanContext();
    const found = lines.filter((line) => line.includes(' # '));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`} 1 # {trace_id="${traceId}",span_id="${spanId}"} \\d\\S* \\d+\\.?\\d*$`));
    // It belongs to the first bucket that has the value.
    expect(found[0]).toBe(lines.find((line) => / 1( #|$)/.test(line)));
  });

  test('are not there for traces that are not sampled, and outside of traces', async () => {
    new Tracing(new AlwaysOffSampler());
    expect((await scraped(traceExemplar as never, (act) => inSpan('order', act))).join('\n')).not.toContain(' # ');
    expect((await scraped(traceExemplar as never, (act) => act())).join('\n')).not.toContain(' # ');
  });

  test.each([
    ['a label with a quote in its name', () => ({ 'a"b': 'c' })],
    ['more than 128 characters', () => ({ trace_id: 'x'.repeat(121) })],
    ['a value that is no string', () => ({ trace_id: 7 })],
    ['no labels', () => ({})],
    [
      'an error',
      () => {
        throw new Error('no');
      },
    ],
  ])('that would spoil a scrape are dropped, but not the call: %s', async (_, source) => {
    const lines = await scraped(source as never, (act) => act());
    expect(lines.at(-1)).toMatch(/ 1$/);
    expect(lines.join('\n')).not.toContain(' # ');
  });

  test('need a registry of OpenMetrics', () => {
    const { channel } = balanced('static:///127.0.0.1:1');
    expect(() => observeMetrics(channel, { registry: new Registry(), exemplars: () => undefined })).toThrow(
      /exemplars need the text format of OpenMetrics.*setContentType\(Registry\.OPENMETRICS_CONTENT_TYPE\)/,
    );
  });
});

test('it leaves nothing behind when it ends, whatever the format was', async () => {
  const { registry, say, stop, channel } = await observed();
  await say();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  await registry.metrics();
  stop();
  expect(registry.getMetricsAsArray()).toEqual([]);
  onTestFinished(observeMetrics(channel, { registry }));
  expect(await registry.metrics()).not.toContain('grpc_client_call_duration_seconds_count{');
});

test('an application that only declares the module starts', async () => {
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbPrometheusModule.forRoot({ path: false })] });
  expect((await register.metrics()).length).toBeGreaterThan(0);
  await app.close();
});
