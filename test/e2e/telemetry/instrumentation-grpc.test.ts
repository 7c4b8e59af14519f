import { createRequire } from 'node:module';
import * as grpc from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import { SpanKind, trace } from '@opentelemetry/api';
import { GrpcInstrumentation } from '@opentelemetry/instrumentation-grpc';
import { GrpcLbModule } from 'nestjs-grpc-lb';
import { lastValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { CallSpans } from '../../../libs/grpc-lb/src/telemetry/opentelemetry/traces/call-spans.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackend } from '../../support/echo/backends.js';
import { echoOptions, type EchoStub, startApp } from '../../support/nest/app.js';
import { failure, ScriptedBackend } from '../../support/nest/backend.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { startEcho } from '../../support/server/app.js';
import { inSpan, Tracing } from '../../support/telemetry/tracing.js';

expectNoLeaks();

const instrumentation = new GrpcInstrumentation();

/** Switches OpenTelemetry's instrumentation on, from now to the end of the test. */
function instrument(ignoreGrpcMethods: string[] = []): void {
  instrumentation.setTracerProvider(trace.getTracerProvider());
  instrumentation.setConfig({ ignoreGrpcMethods });
  instrumentation.enable();
  // It wraps what grpc-js exports when that is required.
  createRequire(import.meta.url)('@grpc/grpc-js');
  expect(grpc.Client.prototype.makeUnaryRequest).toHaveProperty('__wrapped');
  onTestFinished(() => instrumentation.disable());
}

async function tracedClient(target: string): Promise<ClientGrpc> {
  const app = await startApp({
    imports: [
      GrpcLbModule.forRoot({ observer: new CallSpans() }),
      GrpcLbModule.forFeature([
        {
          name: 'ECHO',
          options: echoOptions(target, { loadBalancing: { retry: { maxAttempts: 2, initialBackoff: 1 } } }),
        },
      ]),
    ],
  });
  return app.get<ClientGrpc>('ECHO');
}

async function tracedStub(target: string): Promise<EchoStub> {
  return (await tracedClient(target)).getService<EchoStub>('Echo');
}

/** Fails the first call of each kind. */
async function backend(): Promise<ScriptedBackend> {
  const failed = new Set<string>();
  const isFirst = (what: string): boolean => !failed.has(what) && !!failed.add(what);
  return new ScriptedBackend({
    say: (_call, done) =>
      isFirst('say') ? done(failure(grpc.status.UNAVAILABLE, 'not yet')) : done(null, { text: 'hello' }),
    repeat: (call) => {
      if (isFirst('repeat')) return call.emit('error', failure(grpc.status.UNAVAILABLE, 'not yet'));
      call.write({ text: 'hello' });
      return call.end();
    },
  }).start();
}

async function unaryAndStream(stub: EchoStub): Promise<void> {
  await lastValueFrom(stub.say({ text: 'x' }));
  await lastValueFrom(stub.repeat({ text: 'x', times: 1 }));
}

/** The client spans; each must be a child of the caller's. */
function clientSpans(tracing: Tracing) {
  return tracing.shown
    .filter(({ kind }) => kind === 'CLIENT')
    .map(({ name, parent, events }) => [name, parent, events.map(([event]) => event).filter(isStep)]);
}

// The first call may wait for a connection.
const isStep = (event: string): boolean => event !== 'Wait' && !event.startsWith('Delayed');

const COURSE = ['Pick', 'Retry', 'Pick'];

test('a client made after it: its spans are the only ones of a call, and tell the course of the call', async () => {
  const tracing = new Tracing();
  instrument();
  const { target, seen } = await backend();
  await inSpan('request', async () => unaryAndStream(await tracedStub(target)));
  expect(clientSpans(tracing)).toEqual([
    ['grpc.echo.v1.Echo/Say', 'request', COURSE],
    ['grpc.echo.v1.Echo/Repeat', 'request', COURSE],
  ]);
  const attempts = tracing.shown.filter(({ name }) => name.startsWith('Attempt.'));
  expect(attempts.map(({ parent }) => parent)).toEqual([
    'grpc.echo.v1.Echo/Say',
    'grpc.echo.v1.Echo/Say',
    'grpc.echo.v1.Echo/Repeat',
    'grpc.echo.v1.Echo/Repeat',
  ]);
  // The server gets the context of those spans.
  const ids = tracing.spans.filter(({ kind }) => kind === SpanKind.CLIENT).map((span) => span.spanContext().spanId);
  const sent = seen.map(({ metadata }) => String(metadata.get('traceparent')[0]).split('-')[2]);
  expect(new Set(sent)).toEqual(new Set(ids));
});

test('a client made before it: one span for each call, whichever of the two starts it', async () => {
  const tracing = new Tracing();
  const { target } = await backend();
  const client = await tracedClient(target);
  const stub = client.getService<EchoStub>('Echo');
  const bare = client.getClientByServiceName<grpc.Client>('Echo');
  instrument();
  const path = '/echo.v1.Echo/Say';
  await inSpan('request', async () => {
    await unaryAndStream(stub);
    await new Promise((resolve) => bare.makeUnaryRequest(path, () => Buffer.alloc(0), String, {}, resolve));
  });
  expect(clientSpans(tracing)).toEqual([
    // A stub that was made before sends its calls past the methods that are wrapped.
    ['echo.v1.Echo/Say', 'request', COURSE],
    ['echo.v1.Echo/Repeat', 'request', COURSE],
    ['grpc.echo.v1.Echo/Say', 'request', ['Pick']],
  ]);
});

test('a method that it ignores has a span of this package', async () => {
  const tracing = new Tracing();
  instrument(['Say']);
  const { target } = await backend();
  await unaryAndStream(await tracedStub(target));
  expect(clientSpans(tracing).map(([name]) => name)).toEqual(['echo.v1.Echo/Say', 'grpc.echo.v1.Echo/Repeat']);
});

test('the watches of health and load have no spans, whatever the server offers', async () => {
  const tracing = new Tracing();
  instrument();
  const without = await startBackend();
  const policy = { name: 'weighted_round_robin', enableOobLoadReport: true, oobReportingPeriod: 100 } as const;
  const client = new BalancedClient({
    target: `static:///${without.address}`,
    observer: new CallSpans(),
    loadBalancing: { policy },
  });
  await client.ready(1);
  await client.until(() => client.snapshot.endpoints[0]!.connections[0]!.health === 'not_offered');
  await client.until(() => client.events.some(({ type }) => type === 'load_reports_not_offered'));
  client.close();
  expect(tracing.shown).toEqual([]);

  const { address, close } = await startEcho();
  const other = new BalancedClient({ target: `static:///${address}`, loadBalancing: { policy } });
  await other.ready(1);
  await other.until(() => other.snapshot.endpoints[0]!.connections[0]!.health === 'serving');
  other.close();
  await close();
  expect(tracing.shown.filter(({ kind }) => kind === 'CLIENT')).toEqual([]);
});
