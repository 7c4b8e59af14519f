import 'reflect-metadata';
import { pathToFileURL } from 'node:url';
import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type ClientGrpc, ClientsModule, Transport } from '@nestjs/microservices';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricProducer,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { PromiseClient } from 'nestjs-grpc-lb';
import type { Observable } from 'rxjs';
import type { RunSpec } from '../run-spec.js';
import { setUpTracing } from './tracing.js';
import type { Subject } from './subject.js';

interface Line {
  readonly text: string;
}

interface Echo {
  say(line: Line): Observable<Line>;
  repeat(line: Line & { readonly times: number }): Observable<Line>;
}

/** One interceptor, as many applications have it: it adds a key to the metadata. */
const addTenant: Interceptor = (options, nextCall) =>
  new InterceptingCall(nextCall(options), {
    start(metadata, listener, next) {
      metadata.set('x-tenant', 'a tenant');
      next(metadata, listener);
    },
  });

function interceptorsOf({ kind }: RunSpec): Interceptor[] {
  return kind === 'interceptors' ? [addTenant] : [];
}

/** Nest's own client, with a policy of grpc-js. */
export async function stock(policy: string, spec: RunSpec): Promise<Subject> {
  const serviceConfig = JSON.stringify({ loadBalancingConfig: [{ [policy]: {} }] });
  const options = {
    package: 'echo.v1',
    protoPath: spec.proto,
    url: `ipv4:${spec.addresses.join(',')}`,
    channelOptions: { 'grpc.service_config': serviceConfig, interceptors: interceptorsOf(spec) },
  };
  return echoSubject(
    await inNest('ECHO', [ClientsModule.register([{ name: 'ECHO', transport: Transport.GRPC, options }])]),
  );
}

/** The SDK with a share of the traces sampled, and whether this package starts spans. */
export interface Traces {
  readonly sampled: number;
  readonly spans: boolean;
}

/** What observes the calls of this package. */
export type Telemetry = 'none' | 'opentelemetry' | 'producer' | 'prometheus' | Traces;

/** This package, with calls as Promises. */
export async function ownAsPromises(spec: RunSpec): Promise<Subject> {
  return own('least_request', spec, 'none', true);
}

/** This package. */
export async function own(
  policy: 'least_request' | 'adaptive',
  spec: RunSpec,
  telemetry: Telemetry = 'none',
  asPromises = false,
): Promise<Subject> {
  const options = { package: 'echo.v1', protoPath: spec.proto, loadBalancing: { policy } };
  const client = await balanced('ECHO', options, spec, telemetry);
  const subject = echoSubject(client);
  if (!asPromises) return subject;
  const { iterate, promises } = await loaderOf(spec)<typeof import('nestjs-grpc-lb')>('index.js');
  const echo = client.client.getService<Echo>('Echo');
  return { ...promisedCalls(echo, promises(echo), iterate), close: subject.close };
}

/** Loads a part of this package by its path: a git worktree that shares node_modules would measure another build. */
function loaderOf({ build }: RunSpec): <T>(file: string) => Promise<T> {
  const root = build === undefined ? new URL('../../../../../', import.meta.url) : pathToFileURL(`${build}/`);
  return async <T>(file: string): Promise<T> => (await import(new URL(`libs/grpc-lb/dist/${file}`, root).href)) as T;
}

/** An application with a client of this package. */
export async function balanced(
  name: string,
  more: object,
  spec: RunSpec,
  telemetry: Telemetry = 'none',
): Promise<NestClient> {
  const load = loaderOf(spec);
  const { GrpcLbModule } = await load<typeof import('nestjs-grpc-lb')>('index.js');
  const options = {
    ...more,
    url: `static:///${spec.addresses.join(',')}`,
    channelOptions: spec.channelOptions,
    interceptors: interceptorsOf(spec),
  };
  const observed = await telemetryModule(telemetry, load);
  return inNest(name, [GrpcLbModule.forRoot(), ...observed, GrpcLbModule.forFeature([{ name, options }])]);
}

type Calls = Omit<Subject, 'close'>;

function promisedCalls(
  echo: Echo,
  promised: PromiseClient<Echo>,
  iterate: typeof import('nestjs-grpc-lb').iterate,
): Calls {
  return {
    say: async (text) => void (await promised.say({ text })),
    repeat: async (text, times) => {
      let count = 0;
      for await (const _ of iterate(echo.repeat({ text, times }))) count++;
      return count;
    },
  };
}

async function telemetryModule(telemetry: Telemetry, load: <T>(file: string) => Promise<T>): Promise<unknown[]> {
  if (typeof telemetry === 'object') {
    setUpTracing(telemetry.sampled);
    type Module = typeof import('nestjs-grpc-lb/opentelemetry');
    const { GrpcLbOpenTelemetryModule } = await load<Module>('telemetry/opentelemetry/index.js');
    return telemetry.spans ? [GrpcLbOpenTelemetryModule.forRoot({ metrics: false })] : [];
  }
  if (telemetry === 'opentelemetry' || telemetry === 'producer') {
    type Module = typeof import('nestjs-grpc-lb/opentelemetry');
    const { GrpcLbOpenTelemetryModule, GrpcLbMetricProducer } = await load<Module>('telemetry/opentelemetry/index.js');
    const metricProducer = new GrpcLbMetricProducer();
    const meterProvider = otelMeterProvider([metricProducer]);
    const destination = telemetry === 'producer' ? { metricProducer } : { meterProvider };
    return [GrpcLbOpenTelemetryModule.forRoot({ ...destination, traces: false })];
  }
  if (telemetry === 'prometheus') {
    type Module = typeof import('nestjs-grpc-lb/prometheus');
    const { GrpcLbPrometheusModule } = await load<Module>('telemetry/prometheus/index.js');
    return [GrpcLbPrometheusModule.forRoot({ path: false })];
  }
  return [];
}

/** An SDK as applications have it; it exports nothing while the calls are measured. */
function otelMeterProvider(metricProducers: MetricProducer[]): MeterProvider {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000, metricProducers });
  return new MeterProvider({ readers: [reader] });
}

/** A client in an application. */
export interface NestClient {
  readonly client: ClientGrpc;
  readonly close: () => Promise<void>;
}

async function inNest(name: string, imports: readonly unknown[]): Promise<NestClient> {
  @Module({ imports: imports as never })
  class BenchModule {}
  const app = await NestFactory.createApplicationContext(BenchModule, { logger: false });
  return { client: app.get<ClientGrpc>(name, { strict: false }), close: () => app.close() };
}

/** Resolves when the call has ended. */
export function callOf(call: Observable<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    call.subscribe({ error: reject, complete: resolve });
  });
}

function echoSubject({ client, close }: NestClient): Subject {
  const echo = client.getService<Echo>('Echo');
  return {
    say: (text) => callOf(echo.say({ text })),
    repeat: (text, times) =>
      new Promise((resolve, reject) => {
        let count = 0;
        echo.repeat({ text, times }).subscribe({
          next: () => count++,
          error: reject,
          complete: () => resolve(count),
        });
      }),
    close,
  };
}
