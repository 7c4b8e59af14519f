import type { ClientGrpc } from '@nestjs/microservices';
import { GrpcLbModule, GrpcLbRegistry } from 'nestjs-grpc-lb';
import { GrpcLbOpenTelemetryModule, type GrpcLbOpenTelemetryOptions } from 'nestjs-grpc-lb/opentelemetry';
import { lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { echoOptions, type EchoStub, startApp } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { inSpan, Tracing } from '../../support/telemetry/tracing.js';

expectNoLeaks();

async function started(options?: GrpcLbOpenTelemetryOptions) {
  const [server] = await startBackends(1);
  const app = await startApp({
    imports: [
      GrpcLbModule.forRoot(),
      GrpcLbOpenTelemetryModule.forRoot(options),
      GrpcLbModule.forFeature([{ name: 'ECHO', options: echoOptions(`static:///${server!.address}`) }]),
    ],
  });
  return { app, stub: app.get<ClientGrpc>('ECHO').getService<EchoStub>('Echo') };
}

test('the calls of all clients are traced, unary and streams', async () => {
  const tracing = new Tracing();
  const { stub } = await started();
  await inSpan('request', async () => {
    await lastValueFrom(stub.say({ text: 'x' }));
    await lastValueFrom(stub.repeat({ text: 'x', times: 2 }).pipe(toArray()));
  });
  expect(tracing.shown.slice(0, 2)).toMatchObject([
    { name: 'echo.v1.Echo/Say', kind: 'CLIENT', parent: 'request', attributes: { 'grpc.lb.client': 'ECHO' } },
    { name: 'echo.v1.Echo/Repeat', kind: 'CLIENT', parent: 'request' },
  ]);
});

test('a stream that its subscriber leaves ends with CANCELLED', async () => {
  const tracing = new Tracing();
  const { stub } = await started();
  await new Promise<void>((resolve) => {
    const subscription = stub.repeat({ text: 'x', times: 0 }).subscribe(() => {
      subscription.unsubscribe();
      resolve();
    });
  });
  expect(tracing.shown).toMatchObject([{ attributes: { 'error.type': 'CANCELLED', 'grpc.lb.ended_by': 'local' } }]);
});

test('the options of traces apply, and false is none', async () => {
  const tracing = new Tracing();
  const { stub } = await started({ traces: { attempts: 'always' } });
  await lastValueFrom(stub.say({ text: 'x' }));
  expect(tracing.shown.map(({ name }) => name)).toEqual(['Attempt.echo.v1.Echo.Say', 'echo.v1.Echo/Say']);
  const { stub: without } = await started({ traces: false });
  tracing.clear();
  await lastValueFrom(without.say({ text: 'x' }));
  expect(tracing.spans).toEqual([]);
});

test('when the application has shut down, nothing is traced any more', async () => {
  const tracing = new Tracing();
  const { app } = await started();
  const handle = app.get(GrpcLbRegistry).get('ECHO');
  await app.close();
  const stub = handle.getService<EchoStub>('Echo');
  await expect(lastValueFrom(stub.say({ text: 'x' }))).rejects.toThrow(/shut down/);
  expect(tracing.spans).toEqual([]);
});

test('faulty options are refused with the path', () => {
  const options = { traces: { attempts: 'all' } } as object;
  expect(() => GrpcLbOpenTelemetryModule.forRoot(options)).toThrow(
    'traces.attempts is "all"; use one of several, always',
  );
});
