import { createRequire } from 'node:module';
import * as grpc from '@grpc/grpc-js';
import { metrics, propagation, SpanKind, trace } from '@opentelemetry/api';
import { GrpcInstrumentation } from '@opentelemetry/instrumentation-grpc';
import {
  CallSpans,
  GrpcServerTelemetry,
  type GrpcServerTelemetryOptions,
  type MetricDefinition,
  SERVER_METRICS,
} from 'nestjs-grpc-lb/opentelemetry';
import { DataPointType } from '@opentelemetry/sdk-metrics';
import { GrpcServerMetrics } from 'nestjs-grpc-lb/prometheus';
import type { ServerCallObserver } from 'nestjs-grpc-lb/server';
import { register, Registry } from 'prom-client';
import { of } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { healthClient, HealthWatch } from '../../support/peers/health-watch.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, failureOf, say, startEcho } from '../../support/server/app.js';
import { warnings } from '../../support/run/warnings.js';
import { OtelMetrics } from '../../support/telemetry/otel-metrics.js';
import { inSpan, Tracing } from '../../support/telemetry/tracing.js';
import { eventually } from '../../support/time/patience.js';

expectNoLeaks();

const insecure = grpc.credentials.createInsecure();

const SAY = 'echo.v1.Echo/Say';

const start = (options: GrpcServerTelemetryOptions = {}) => startEcho({ observer: new GrpcServerTelemetry(options) });

const methods = ['Say', 'Repeat'].map((method) => ({
  service: 'echo.v1.Echo',
  method,
  responseStream: method === 'Repeat',
}));

/** A client whose calls are traced; without watches, which are other tests' subject. */
async function tracedClient(address: string): Promise<BalancedClient> {
  const target = `static:///${address}`;
  const loadBalancing = { health: { enabled: false } };
  const client = new BalancedClient({ target, methods, observer: new CallSpans(), loadBalancing });
  return client.ready(1);
}

describe('spans', () => {
  test('the span of a call is the child of the one of its client, and the handler runs in it', async () => {
    const tracing = new Tracing();
    const { address, handlers } = await start();
    const client = await tracedClient(address);
    handlers.say = async (line) => {
      await new Promise(setImmediate);
      await inSpan(`work ${line.text}`, async () => {});
      return line;
    };
    const calls = Array.from({ length: 20 }, (_, i) => inSpan(`request ${i}`, () => client.say(String(i))));
    await Promise.all(calls);
    await eventually(() => tracing.spans.length === 80);
    for (let i = 0; i < 20; i++) {
      const work = tracing.named(`work ${i}`);
      const request = tracing.named(`request ${i}`);
      const byId = new Map(tracing.spans.map((span) => [span.spanContext().spanId, span]));
      const server = byId.get(work.parentSpanContext!.spanId)!;
      const sent = byId.get(server.parentSpanContext!.spanId)!;
      expect([server.name, server.kind, server.parentSpanContext!.isRemote]).toEqual([SAY, SpanKind.SERVER, true]);
      expect([sent.name, sent.kind]).toEqual([SAY, SpanKind.CLIENT]);
      expect(sent.parentSpanContext!.spanId).toBe(request.spanContext().spanId);
    }
    const [host, port] = address.split(':');
    const { attributes, status } = tracing.spans.find(({ kind }) => kind === SpanKind.SERVER)!;
    expect(attributes).toEqual({
      'rpc.system.name': 'grpc',
      'rpc.method': SAY,
      'rpc.status_code': 'OK',
      'server.address': host,
      'server.port': Number(port),
      'network.peer.address': '127.0.0.1',
      'network.peer.port': expect.any(Number),
    });
    expect(status).toEqual({ code: 0 });
  });

  test('of a stream it ends when the stream does; the baggage is there as well', async () => {
    const tracing = new Tracing();
    const { address, handlers } = await start();
    const seen: unknown[] = [];
    handlers.repeat = () => {
      seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
      return of({ text: 'a' }, { text: 'b' });
    };
    const metadata = new grpc.Metadata();
    metadata.set('baggage', 'tenant=seven');
    metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    const client = echoClient(address, insecure);
    const stream = client.makeServerStreamRequest('/echo.v1.Echo/Repeat', () => Buffer.alloc(0), String, {}, metadata);
    await new Promise((resolve) => stream.on('data', () => {}).on('end', resolve));
    expect(seen).toEqual(['seven']);
    expect(tracing.shown).toMatchObject([{ name: 'echo.v1.Echo/Repeat', kind: 'SERVER', parent: 'b7ad6b7169203331' }]);
  });

  test.each([
    [grpc.status.NOT_FOUND, undefined],
    [grpc.status.CANCELLED, undefined],
    [grpc.status.RESOURCE_EXHAUSTED, undefined],
    [grpc.status.UNIMPLEMENTED, 'UNIMPLEMENTED'],
    [grpc.status.INTERNAL, 'INTERNAL'],
    [grpc.status.UNAVAILABLE, 'UNAVAILABLE'],
  ])('the status %s: an error only if it is the fault of the server', async (code, error) => {
    const tracing = new Tracing();
    const { address, handlers } = await start();
    const { RpcException } = await import('@nestjs/microservices');
    handlers.say = () => {
      throw new RpcException({ code, message: 'so it is' });
    };
    await failureOf(say(echoClient(address, insecure)));
    const [span] = tracing.shown;
    expect(span!.attributes['rpc.status_code']).toBe(grpc.status[code]);
    expect(span!.attributes['error.type']).toBe(error);
    expect(span!.status).toEqual(error === undefined ? undefined : { code: 'ERROR', message: 'so it is' });
  });

  test('without spans the handler runs as it would', async () => {
    const tracing = new Tracing();
    const { address, handlers } = await start({ traces: false });
    const seen: unknown[] = [];
    handlers.say = (line) => {
      seen.push(trace.getActiveSpan());
      return line;
    };
    const client = await tracedClient(address);
    await client.say();
    expect(seen).toEqual([undefined]);
    expect(tracing.shown.map(({ kind }) => kind)).toEqual(['CLIENT']);
  });

  test('beside an instrumentation there is one span for each call, and none for health', async () => {
    const tracing = new Tracing();
    const instrumentation = new GrpcInstrumentation();
    instrumentation.enable();
    createRequire(import.meta.url)('@grpc/grpc-js');
    onTestFinished(() => instrumentation.disable());
    expect(grpc.Server.prototype.register).toHaveProperty('__wrapped');
    const otel = new OtelMetrics();
    const { address, close } = await start({ meterProvider: otel.provider });
    const client = echoClient(address, insecure);
    await say(client);
    await new Promise((resolve) => healthClient(address).check({ service: '' }, resolve));
    await close();
    const servers = tracing.shown.filter(({ kind }) => kind === 'SERVER').map(({ name }) => name);
    expect(servers).toEqual([`grpc.${SAY}`]);
    expect((await otel.collect()).values('grpc.server.call.started', 'grpc.method')).toEqual({ [SAY]: 1 });
  });
});

describe('metrics', () => {
  test('each call is counted and measured, with the names, units, buckets and labels of the specifications', async () => {
    const otel = new OtelMetrics();
    const { address, handlers } = await start({ meterProvider: otel.provider });
    const client = echoClient(address, insecure);
    await say(client, 'hello');
    await say(client, 'you');
    const { RpcException } = await import('@nestjs/microservices');
    handlers.say = () => {
      throw new RpcException({ code: grpc.status.INTERNAL, message: 'no' });
    };
    await failureOf(say(client, 'x'));
    expect(await new HealthWatch(address, '').next()).toBe('SERVING');
    await otel.collect();
    const ok = { 'grpc.method': SAY, 'grpc.status': 'OK' };
    const internal = { 'grpc.method': SAY, 'grpc.status': 'INTERNAL' };
    const rpc = { 'rpc.system.name': 'grpc', 'rpc.method': SAY };
    // Those of A118 are of servers with TLS.
    const specified = Object.entries<MetricDefinition>(SERVER_METRICS).filter(
      ([, { source }]) => source !== 'own' && source !== 'A118',
    );
    const names = specified.map(([name]) => name);
    expect(otel.names.toSorted()).toEqual(names.toSorted());
    expect(Object.fromEntries(names.map((name) => [name, otel.labels(name)]))).toEqual({
      'grpc.server.call.started': [{ 'grpc.method': SAY }],
      'grpc.server.call.duration': [ok, internal],
      'grpc.server.call.sent_total_compressed_message_size': [ok, internal],
      'grpc.server.call.rcvd_total_compressed_message_size': [ok, internal],
      'rpc.server.call.duration': [
        { ...rpc, 'rpc.status_code': 'OK' },
        { ...rpc, 'rpc.status_code': 'INTERNAL', 'error.type': 'INTERNAL' },
      ],
    });
    expect(otel.value('grpc.server.call.started')).toBe(3);
    const sum = (way: string, labels: Record<string, string>): unknown =>
      otel.histogram(`grpc.server.call.${way}_total_compressed_message_size`, labels).sum;
    expect([sum('sent', ok), sum('sent', internal), sum('rcvd', ok), sum('rcvd', internal)]).toEqual([20, 0, 12, 3]);
    for (const [name, { unit, kind, ...more }] of specified) {
      const { descriptor, dataPointType } = otel.data(name)!;
      const type = kind === 'counter' ? DataPointType.SUM : DataPointType.HISTOGRAM;
      expect([descriptor.unit, dataPointType]).toEqual([unit, type]);
      if (!more.buckets) continue;
      const status = name.startsWith('rpc.') ? 'rpc.status_code' : 'grpc.status';
      expect(otel.histogram(name, { [status]: 'OK' }).buckets.boundaries).toEqual(more.buckets);
    }
  });

  test('a stream that the server ends is counted with the reason, which its span has, too', async () => {
    const otel = new OtelMetrics();
    const tracing = new Tracing();
    const observer = new GrpcServerTelemetry({ meterProvider: otel.provider });
    const { address, close, server } = await startEcho({ observer, drain: { streamGrace: 0 } });
    const client = echoClient(address, insecure);
    const ends = [1, 2].map(async () => {
      const stream = client.repeat({ text: 'x' });
      return new Promise((resolve) => stream.on('error', resolve));
    });
    await eventually(() => server.load().inFlight === 2);
    await close();
    await Promise.all(ends);
    const labels = { 'grpc.method': 'echo.v1.Echo/Repeat', 'grpc.lb.stream_end': 'drain' };
    expect((await otel.collect()).labels('grpc.lb.server.streams_ended')).toEqual([labels]);
    expect(otel.value('grpc.lb.server.streams_ended')).toBe(2);
    expect(tracing.shown.map(({ attributes }) => attributes['grpc.lb.stream_end'])).toEqual(['drain', 'drain']);
  });

  test('of several servers, each with telemetry of its own, the worst certificate and all rotations count', async () => {
    const otel = new OtelMetrics();
    const certificates = { expiresInMs: null, expires: null, authoritiesExpire: null, rejections: 0 };
    for (const [state, rotations] of [
      ['failed', 2],
      ['ok', 3],
    ]) {
      const telemetry = new GrpcServerTelemetry({ meterProvider: otel.provider });
      const handshakes = { SUCCESS: rotations, CERTIFICATE_EXPIRED: 1 };
      const tls = { ...certificates, state, rotations, refusedHandshakes: 1, handshakes } as never;
      onTestFinished(telemetry.attached({ tls: () => tls })!);
    }
    for (let i = 0; i < 2; i++) {
      await otel.collect();
      const names = ['certificates.up', 'rotations', 'handshakes_refused'];
      expect(names.map((name) => otel.value(`grpc.lb.server.tls.${name}`))).toEqual([0, 5, 2]);
      expect(otel.values('grpc.server.tls.handshakes', 'grpc.tls.handshake.result')).toEqual({
        SUCCESS: 5,
        CERTIFICATE_EXPIRED: 2,
      });
    }
  });

  test('an SDK that is registered after the first call is used', async () => {
    const { address } = await start();
    const client = echoClient(address, insecure);
    await say(client);
    const otel = new OtelMetrics();
    metrics.setGlobalMeterProvider(otel.provider);
    onTestFinished(() => metrics.disable());
    await say(client);
    expect((await otel.collect()).value('grpc.server.call.started')).toBe(1);
  });

  test('the time is that of the handler, in seconds', async () => {
    const otel = new OtelMetrics();
    const { address, handlers } = await start({ meterProvider: otel.provider });
    handlers.say = (line) => new Promise((resolve) => setTimeout(resolve, 60, line));
    await say(echoClient(address, insecure));
    await otel.collect();
    for (const name of ['grpc.server.call.duration', 'rpc.server.call.duration']) {
      const { sum } = otel.histogram(name);
      // Timers may be early by a millisecond.
      expect(sum).toBeGreaterThan(0.055);
      expect(sum).toBeLessThan(30);
    }
  });
});

describe('for Prometheus', () => {
  test('the same metrics, by their names in Prometheus; two servers may share a registry', async () => {
    const registry = new Registry();
    for (const texts of [['hello', 'you'], ['again']]) {
      const { address } = await startEcho({ observer: new GrpcServerMetrics({ registry }) });
      const client = echoClient(address, insecure);
      for (const text of texts) await say(client, text);
    }
    const text = await registry.metrics();
    const method = `grpc_method="${SAY}"`;
    for (const line of [
      '# TYPE grpc_server_call_started_total counter',
      `grpc_server_call_started_total{${method}} 3`,
      `grpc_server_call_duration_seconds_count{${method},grpc_status="OK"} 3`,
      `grpc_server_call_duration_seconds_bucket{le="+Inf",${method},grpc_status="OK"} 3`,
      `grpc_server_call_sent_total_compressed_message_size_bytes_sum{${method},grpc_status="OK"} 31`,
      `grpc_server_call_rcvd_total_compressed_message_size_bytes_bucket{le="1024",${method},grpc_status="OK"} 3`,
      `rpc_server_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="${SAY}",rpc_status_code="OK"} 3`,
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  test('a registry that is none is refused', () => {
    expect(() => new GrpcServerMetrics({ registry: {} as Registry })).toThrow(
      'registry is {}; use a Registry of prom-client',
    );
  });
});

test('both observers of one server', async () => {
  const tracing = new Tracing();
  const registry = new Registry();
  const { address, server } = await start({ metrics: false });
  server.observe(new GrpcServerMetrics({ registry }));
  await say(echoClient(address, insecure));
  expect(tracing.shown.map(({ kind }) => kind)).toEqual(['SERVER']);
  expect(await registry.metrics()).toContain(`grpc_server_call_started_total{grpc_method="${SAY}"} 1`);
});

describe('two observers that record the metrics of one server in one place are a warning', () => {
  test.each<[string, () => ServerCallObserver, reports: boolean]>([
    ['OpenTelemetry', () => new GrpcServerTelemetry(), true],
    ['Prometheus', () => new GrpcServerMetrics(), true],
    ['only spans', () => new GrpcServerTelemetry({ metrics: false }), false],
  ])('%s', async (_, create, reports) => {
    const otel = new OtelMetrics();
    metrics.setGlobalMeterProvider(otel.provider);
    onTestFinished(() => (metrics.disable(), register.clear()));
    const tls = {
      expiresInMs: null,
      expires: null,
      authoritiesExpire: null,
      rejections: 0,
      rotations: 2,
      handshakes: {},
    };
    const warned = warnings();
    const [one, other] = [{ tls: () => tls as never }, { tls: () => tls as never }];
    const stops = [create().attached?.(one), create().attached?.(other)];
    expect(await warned()).toEqual([]);
    const second = create();
    stops.push(second.attached?.(one));
    const [text] = await warned();
    expect(text ?? '').toMatch(reports ? /has two observers .* keep one GrpcServerTelemetry/ : /^$/);
    // A certificate rotates once, however many report it.
    const rotations = async (): Promise<unknown> => (await otel.collect()).value('grpc.lb.server.tls.rotations') ?? 4;
    expect(await rotations()).toBe(4);
    stops.pop()?.();
    expect(await rotations()).toBe(4);
    for (const stop of stops) stop?.();
    onTestFinished(second.attached?.(one) ?? (() => {}));
    expect(await warned()).toHaveLength(reports ? 1 : 0);
  });
});

test('faulty options are refused, all at once', () => {
  const options = { traces: 1, metrics: 'no', meterProvider: null, tracer: 1 } as object;
  expect(() => new GrpcServerTelemetry(options)).toThrow(
    /traces is 1.*metrics is "no".*meterProvider is null; use the MeterProvider of an OpenTelemetry SDK.*tracer is not an option/s,
  );
});
