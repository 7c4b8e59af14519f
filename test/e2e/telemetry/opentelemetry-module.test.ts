import 'reflect-metadata';
import { context, type Context, metrics } from '@opentelemetry/api';
import { MeterProvider, type MetricProducer, MetricReader } from '@opentelemetry/sdk-metrics';
import type { ClientGrpc } from '@nestjs/microservices';
import type { TestingModule } from '@nestjs/testing';
import { GrpcLbModule, GrpcLbRegistry } from 'nestjs-grpc-lb';
import {
  GrpcLbMetricProducer,
  GrpcLbOpenTelemetryModule,
  type GrpcLbOpenTelemetryOptions,
  observeMetrics,
} from 'nestjs-grpc-lb/opentelemetry';
import { lastValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { echoOptions, type EchoStub, startApp, startError } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { warnings } from '../../support/run/warnings.js';
import { OtelMetrics } from '../../support/telemetry/otel-metrics.js';

expectNoLeaks();

async function appWith(
  options: GrpcLbOpenTelemetryOptions,
): Promise<{ app: TestingModule; say: () => Promise<unknown> }> {
  const [server] = await startBackends(1);
  const app = await startApp({
    imports: [
      GrpcLbOpenTelemetryModule.forRoot(options),
      GrpcLbModule.forRoot(),
      GrpcLbModule.forFeature([{ name: 'ECHO', options: echoOptions(server!.address) }]),
    ],
  });
  const stub = app.get<ClientGrpc>('ECHO', { strict: false }).getService<EchoStub>('Echo');
  return { app, say: () => lastValueFrom(stub.say({ text: 'hi' })) };
}

test('the module observes all clients, from the start to the end of the application', async () => {
  const otel = new OtelMetrics();
  const { app, say } = await appWith({ meterProvider: otel.provider });
  await say();
  await otel.collect();
  expect(otel.labels('grpc.client.attempt.started')).toMatchObject([{ 'grpc.method': 'echo.v1.Echo/Say' }]);
  expect(otel.values('grpc.lb.client.ready', 'grpc.lb.client')).toEqual({ ECHO: 1 });
  expect(await otel.scopes).toMatchObject([{ name: 'nestjs-grpc-lb', version: '0.2.0' }]);
  await app.close();
  const after = new OtelMetrics();
  expect((await after.collect()).names).toEqual([]);
});

test('an SDK may be registered after the application has started', async () => {
  const { say } = await appWith({});
  await say();
  const otel = new OtelMetrics();
  metrics.setGlobalMeterProvider(otel.provider);
  onTestFinished(() => metrics.disable());
  await say();
  await otel.collect();
  expect(otel.value('grpc.client.attempt.started')).toBe(1);
  expect(otel.values('grpc.client.call.duration', 'grpc.status')).toEqual({ OK: 1 });
});

test('metrics may be off', async () => {
  const otel = new OtelMetrics();
  const { say } = await appWith({ metrics: false, meterProvider: otel.provider });
  await say();
  expect((await otel.collect()).names).toEqual([]);
});

test('a producer adds the same values up by itself', async () => {
  const producer = new GrpcLbMetricProducer();
  // The types of the SDK accept it.
  const metricProducers: MetricProducer[] = [producer];
  class Reader extends MetricReader {
    protected async onForceFlush(): Promise<void> {}
    protected async onShutdown(): Promise<void> {}
  }
  const reader = new Reader({ metricProducers });
  const provider = new MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  const otel = new OtelMetrics();
  const { app, say } = await appWith({ metricProducer: producer });
  onTestFinished(observeMetrics(app.get(GrpcLbRegistry, { strict: false }), { meterProvider: otel.provider }));
  await say();
  await otel.collect();
  const { resourceMetrics } = await reader.collect();
  const [{ scope, metrics: produced }] = resourceMetrics.scopeMetrics as [(typeof resourceMetrics.scopeMetrics)[0]];
  expect(scope).toEqual({ name: 'nestjs-grpc-lb', version: '0.2.0' });
  expect(produced.map(({ descriptor }) => descriptor.name).toSorted()).toEqual(otel.names.toSorted());
  for (const { descriptor, dataPointType, aggregationTemporality, dataPoints } of produced) {
    const recorded = otel.data(descriptor.name)!;
    expect(descriptor).toMatchObject({ unit: recorded.descriptor.unit, description: recorded.descriptor.description });
    expect([dataPointType, aggregationTemporality]).toEqual([recorded.dataPointType, recorded.aggregationTemporality]);
    expect(dataPoints.map(({ attributes }) => Object.keys(attributes))).toEqual(
      recorded.dataPoints.map(({ attributes }) => Object.keys(attributes)),
    );
  }
  const sizes = produced.find(({ descriptor }) => descriptor.name.endsWith('sent_total_compressed_message_size'))!;
  expect(sizes.dataPoints[0]!.value).toEqual(
    expect.objectContaining({
      count: 1,
      sum: 4,
      buckets: { boundaries: expect.any(Array), counts: [0, 1, ...Array.from({ length: 13 }, () => 0)] },
    }),
  );
});

test('values are recorded in the context in which the call was made, for exemplars', async () => {
  const seen: (Context | undefined)[] = [];
  const otel = new OtelMetrics();
  const provider = {
    getMeter: (...args: Parameters<MeterProvider['getMeter']>) => {
      const meter = otel.provider.getMeter(...args);
      const createHistogram = meter.createHistogram.bind(meter);
      meter.createHistogram = (...histogram) => {
        const made = createHistogram(...histogram);
        const record = made.record.bind(made);
        made.record = (value, attributes, of) => {
          seen.push(of);
          record(value, attributes, of);
        };
        return made;
      };
      return meter;
    },
  };
  const { say } = await appWith({ meterProvider: provider });
  await say();
  // Values are handed over in batches, after a second at the latest.
  await expect.poll(() => seen.length).toBeGreaterThan(0);
  expect(seen.every((each) => each === context.active())).toBe(true);
});

test('it is imported once: twice it would count twice', async () => {
  const two = [{}, { metrics: { maxAddresses: 1 } }].map((options) => GrpcLbOpenTelemetryModule.forRoot(options));
  const { message } = await startError({ imports: [GrpcLbModule.forRoot(), ...two] });
  expect(message).toMatch(/GrpcLbOpenTelemetryModule.*forRoot\(\) is imported more than once/s);
});

test('clients that are measured already are refused, until that ends', async () => {
  const otel = new OtelMetrics();
  const { app, say } = await appWith({ meterProvider: otel.provider });
  const registry = app.get(GrpcLbRegistry, { strict: false });
  expect(() => observeMetrics(registry, { meterProvider: otel.provider })).toThrow(
    /observeMetrics.*clients are measured already.*GrpcLbOpenTelemetryModule/s,
  );
  const channel = registry.get('ECHO');
  const other = { meterProvider: new OtelMetrics().provider };
  const stop = observeMetrics(channel, other);
  expect(() => observeMetrics(channel, other)).toThrow(/measured already/);
  stop();
  const again = observeMetrics(channel, other);
  stop();
  expect(() => observeMetrics(channel, other)).toThrow(/measured already/);
  again();
  await say();
  expect((await otel.collect()).value('grpc.client.attempt.started')).toBe(1);
});

test('that goes for an application and its client, in each order', async () => {
  const given = { meterProvider: new OtelMetrics().provider };
  const { app } = await appWith(given);
  const registry = app.get(GrpcLbRegistry, { strict: false });
  const client = registry.get('ECHO');
  expect(() => observeMetrics(client, given)).toThrow(/measured already/);
  const other = { metricProducer: new GrpcLbMetricProducer() };
  const warned = warnings();
  const stop = observeMetrics(client, other);
  expect(await warned()).toHaveLength(1);
  expect(() => observeMetrics(registry, other)).toThrow(/measured already/);
  stop();
  observeMetrics(registry, other)();
});

test('the registered provider is one, whether it is given or not', async () => {
  const otel = new OtelMetrics();
  metrics.setGlobalMeterProvider(otel.provider);
  onTestFinished(() => metrics.disable());
  const { app } = await appWith({});
  const registry = app.get(GrpcLbRegistry, { strict: false });
  expect(() => observeMetrics(registry, { meterProvider: otel.provider })).toThrow(/measured already/);
});

test.each(['the producer first', 'the producer last'])(
  'a producer beside instruments is a warning: %s',
  async (order) => {
    const warned = warnings();
    const { app } = await appWith({ metrics: false });
    const registry = app.get(GrpcLbRegistry, { strict: false });
    const producer = { metricProducer: new GrpcLbMetricProducer() };
    const instruments = { meterProvider: new OtelMetrics().provider };
    for (const each of order.endsWith('first') ? [producer, instruments] : [instruments, producer]) {
      expect(await warned()).toEqual([]);
      onTestFinished(observeMetrics(registry, each));
    }
    expect(await warned()).toEqual([expect.stringMatching(/GrpcLbMetricProducer.*counts every call twice. Keep one/)]);
  },
);

test('faulty options are rejected', () => {
  const producer = new GrpcLbMetricProducer();
  expect(() => GrpcLbOpenTelemetryModule.forRoot({ metrics: { maxAddress: 1 }, meterProvider: 1 } as never)).toThrow(
    /GrpcLbOpenTelemetryModule\.forRoot.*metrics\.maxAddress is not an option; did you mean "maxAddresses".*meterProvider is 1/s,
  );
  const both = { metricProducer: producer, meterProvider: new OtelMetrics().provider };
  expect(() => GrpcLbOpenTelemetryModule.forRoot(both)).toThrow(/metricProducer is set together with meterProvider/);
});
