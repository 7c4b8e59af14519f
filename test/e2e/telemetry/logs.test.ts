import * as grpc from '@grpc/grpc-js';
import { ConsoleLogger, type LoggerService } from '@nestjs/common';
import type { ClientGrpc } from '@nestjs/microservices';
import { trace } from '@opentelemetry/api';
import { GrpcLbModule, type LoadBalancingOptions } from 'nestjs-grpc-lb';
import { CallSpans } from 'nestjs-grpc-lb/opentelemetry';
import { lastValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { SilentDiscovery } from '../../support/echo/balanced-client.js';
import { echoOptions, type EchoStub, errorOf, startApp } from '../../support/nest/app.js';
import { failure, ScriptedBackend } from '../../support/nest/backend.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { inSpan, Tracing } from '../../support/telemetry/tracing.js';

expectNoLeaks();

/** The lines of this package, each with the trace in whose context it was written. */
class TracedLogger extends ConsoleLogger implements LoggerService {
  readonly lines: { readonly text: string; readonly traceId: string | undefined }[] = [];

  override log(text: string, context?: string): void {
    this.#write(text, context);
  }

  override warn(text: string, context?: string): void {
    this.#write(text, context);
  }

  #write(text: string, context: string | undefined): void {
    if (context !== 'GrpcLb') return;
    this.lines.push({ text, traceId: trace.getActiveSpan()?.spanContext().traceId });
  }

  traceOf(pattern: RegExp): string | undefined {
    const found = this.lines.filter(({ text }) => pattern.test(text));
    expect(found, JSON.stringify(this.lines)).toHaveLength(1);
    return found[0]!.traceId;
  }
}

async function stubWith(logger: TracedLogger, target: string, loadBalancing: LoadBalancingOptions): Promise<EchoStub> {
  const imports = [
    GrpcLbModule.forRoot({ observer: new CallSpans() }),
    GrpcLbModule.forFeature([{ name: 'ECHO', options: echoOptions(target, { loadBalancing }) }]),
  ];
  const app = await startApp({ imports }, (builder) => builder.setLogger(logger));
  return app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo');
}

/** Runs calls in a span of the application, and returns its trace. */
async function traceIdOf(action: () => Promise<unknown>): Promise<string> {
  return inSpan('request', async () => {
    await action();
    return trace.getActiveSpan()!.spanContext().traceId;
  });
}

test('the line about a refused call is written in the context of that call', async () => {
  void new Tracing();
  const logger = new TracedLogger();
  const stub = await stubWith(logger, new SilentDiscovery().target, { pool: { maxPending: 1 } });
  const waiting = errorOf(stub.say({ text: 'x' }));
  const traceId = await traceIdOf(() => errorOf(stub.say({ text: 'x' })));
  expect(logger.traceOf(/RESOURCE_EXHAUSTED/)).toBe(traceId);
  void waiting;
});

test('a line about an endpoint is about no single call, and is written outside of any', async () => {
  void new Tracing();
  const logger = new TracedLogger();
  const failing = await new ScriptedBackend({
    say: (_call, done) => done(failure(grpc.status.UNAVAILABLE, 'no')),
  }).start();
  const healthy = await new ScriptedBackend({ say: (_call, done) => done(null, { text: 'hello' }) }).start();
  const stub = await stubWith(logger, `static:///${failing.address},${healthy.address}`, {
    policy: { name: 'round_robin' },
    ejection: { consecutiveFailures: 2, minimumCalls: 2, maxEjectionPercent: 50 },
  });
  while (!logger.lines.some(({ text }) => text.includes('is ejected'))) {
    await traceIdOf(() => lastValueFrom(stub.say({ text: 'x' })).catch(() => {}));
  }
  expect(logger.traceOf(/is ejected/)).toBeUndefined();
});
