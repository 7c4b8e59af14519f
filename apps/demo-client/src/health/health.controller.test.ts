import 'reflect-metadata';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { Test } from '@nestjs/testing';
import { GrpcLbModule, GrpcLbRegistry } from 'nestjs-grpc-lb';
import { firstValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { expectNoLeaks } from '../../../../test/support/run/leaks.js';
import { OrdersClient } from '../orders.client.js';
import { HealthModule } from './health.module.js';

expectNoLeaks();

/** A backend without services is enough for a connection. */
async function startBackend(): Promise<{ server: Server; address: string }> {
  const server = new Server();
  onTestFinished(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { server, address: `127.0.0.1:${port}` };
}

test('the process is alive and ready with one of two backends, and alive but not ready without any', async () => {
  const backends = [await startBackend(), await startBackend()];
  const target = `static:///${backends.map(({ address }) => address).join(',')}`;
  const imports = [
    GrpcLbModule.forRoot({ overrides: { ORDERS_CLIENT: { target } } }),
    GrpcLbModule.forFeature([OrdersClient]),
    HealthModule,
  ];
  const module = await Test.createTestingModule({ imports }).compile();
  const app = module.createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const statusOf = async (path: string): Promise<[number, unknown]> => {
    const response = await fetch(`${url}/health/${path}`, { headers: { connection: 'close' } });
    return [response.status, ((await response.json()) as { status: unknown }).status];
  };
  const registry = app.get(GrpcLbRegistry);
  const ready = async (count: number): Promise<void> => {
    const found = (): number =>
      registry.snapshot(OrdersClient).endpoints.filter(({ state }) => state === 'ready').length;
    while (found() !== count) await firstValueFrom(registry.events$);
  };

  await ready(2);
  expect([await statusOf('live'), await statusOf('ready')]).toEqual([
    [200, 'ok'],
    [200, 'ok'],
  ]);
  backends[0]!.server.forceShutdown();
  await ready(1);
  expect(await statusOf('ready')).toEqual([200, 'degraded']);
  backends[1]!.server.forceShutdown();
  await ready(0);
  expect([await statusOf('live'), await statusOf('ready')]).toEqual([
    [200, 'ok'],
    [503, 'error'],
  ]);
});
