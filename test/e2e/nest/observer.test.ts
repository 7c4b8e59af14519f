import type { ClientGrpc } from '@nestjs/microservices';
import {
  type CallObserver,
  GrpcLbModule,
  type GrpcLbModuleOptions,
  GrpcLbRegistry,
  type ObservedCall,
} from 'nestjs-grpc-lb';
import { lastValueFrom, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { echoOptions, type EchoStub, startApp, startError } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

it('the observer of forRoot is told of the calls of all clients, on the fast path and beside it', async () => {
  const [server] = await startBackends(1);
  const calls: Pick<ObservedCall, 'client' | 'method' | 'stream'>[] = [];
  const ends: unknown[] = [];
  const observer: CallObserver = {
    callStarted: ({ client, method, stream }) => {
      calls.push({ client, method, stream });
      return { ended: ({ code, origin }) => ends.push([code, origin]) };
    },
  };
  const options = echoOptions(server!.address);
  const app = await startApp({
    imports: [
      GrpcLbModule.forRoot({ observer }),
      GrpcLbModule.forFeature([
        { name: 'ONE', options },
        { name: 'TWO', options },
      ]),
    ],
  });
  const stub = (name: string): EchoStub => app.get<ClientGrpc>(name).getService<EchoStub>('Echo');
  await lastValueFrom(stub('ONE').say({ text: 'x' }));
  const later: string[] = [];
  const remove = app.get(GrpcLbRegistry).observe({ callStarted: ({ client }) => void later.push(client) });
  await lastValueFrom(stub('TWO').repeat({ text: 'x', times: 2 }).pipe(toArray()));
  remove();
  await lastValueFrom(stub('TWO').join([{ text: 'x' }]));
  expect(later).toEqual(['TWO']);
  expect(calls).toEqual([
    { client: 'ONE', method: '/echo.v1.Echo/Say', stream: false },
    { client: 'TWO', method: '/echo.v1.Echo/Repeat', stream: true },
    { client: 'TWO', method: '/echo.v1.Echo/Join', stream: true },
  ]);
  expect(ends).toEqual([
    [0, 'remote'],
    [0, 'remote'],
    [0, 'remote'],
  ]);
});

it.each([null, {}, () => {}, 'console'])('an observer of %j is rejected', async (observer) => {
  const options = { observer } as unknown as GrpcLbModuleOptions;
  const { message } = await startError({ imports: [GrpcLbModule.forRoot(options)] });
  expect(message).toMatch(/GrpcLbModule\.forRoot.*observer is .*; use an object with a method callStarted/s);
});
