import { credentials } from '@grpc/grpc-js';
import { Injectable, Module } from '@nestjs/common';
import type { ClientGrpc } from '@nestjs/microservices';
import {
  getGrpcServiceToken,
  type GrpcLbClientOptions,
  GrpcLbModule,
  GrpcLbOptionsError,
  GrpcLbRegistry,
  InjectGrpcLbClient,
  InjectGrpcService,
} from 'nestjs-grpc-lb';
import { firstValueFrom, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, echoOptions, type EchoStub, startApp, startError } from '../../support/nest/app.js';

expectNoLeaks();

const NOWHERE = 'static:///127.0.0.1:1';

/** Belongs to another application of the process, whose client ORDERS has another proto file. */
@Injectable()
class OfAnotherApplication {
  constructor(
    @InjectGrpcService('ORDERS', 'Orders') readonly parameter: object,
    @InjectGrpcService('ORDERS', 'Mirror') readonly there: object,
  ) {}

  @InjectGrpcService('ORDERS', 'Prices') readonly property!: object;
}

describe('the service of a decorator', () => {
  const feature = () => GrpcLbModule.forFeature([{ name: 'ORDERS', options: echoOptions(NOWHERE) }]);

  it('in another application of the process causes no error in this one', async () => {
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), feature()] });
    expect(app.get(GrpcLbRegistry).snapshot('ORDERS').client).toBe('ORDERS');
  });

  it.each([
    ['a class of this application', { providers: [OfAnotherApplication] }],
    ['a class that extends one', { providers: [class extends OfAnotherApplication {}] }],
    [
      'a factory of this application',
      { providers: [{ provide: 'x', inject: [getGrpcServiceToken('ORDERS', 'Prices')], useFactory: () => 1 }] },
    ],
  ])('must exist when %s injects it', async (_, providers) => {
    const error = await startError({ imports: [GrpcLbModule.forRoot(), feature()], ...providers });
    expect(error).toBeInstanceOf(GrpcLbOptionsError);
    expect(error.message).toMatch(/service is "(Orders|Prices)", which package echo\.v1 does not have; it has Echo/);
  });
});

describe('a client from a factory with credentials, for two modules', () => {
  const useFactory = (): GrpcLbClientOptions => echoOptions(NOWHERE, { credentials: credentials.createSsl() });

  class Settings {
    createGrpcLbClientOptions(): GrpcLbClientOptions {
      return useFactory();
    }
  }

  @Module({ providers: [Settings], exports: [Settings] })
  class SettingsModule {}

  const start = (...sources: object[]) => {
    const modules = sources.map((source) => GrpcLbModule.forFeatureAsync({ name: 'ECHO', ...source }));
    return { imports: [GrpcLbModule.forRoot(), ...modules] };
  };

  it.each([
    ['the same function', { useFactory }],
    ['the same function, of the same provider', { imports: [SettingsModule], inject: [Settings], useFactory }],
    ['the same class', { useClass: Settings }],
    ['the same provider', { imports: [SettingsModule], useExisting: Settings }],
  ])('is one client if it is %s', async (_, source) => {
    const app = await startApp(start(source, source));
    expect(app.get(GrpcLbRegistry).snapshot()).toHaveLength(1);
  });

  it('is one client if both import one module', async () => {
    const feature = GrpcLbModule.forFeatureAsync({ name: 'ECHO', useFactory });
    @Module({ imports: [feature] })
    class One {}
    @Module({ imports: [feature] })
    class Other {}
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), One, Other] });
    expect(app.get(GrpcLbRegistry).snapshot()).toHaveLength(1);
  });

  it('is an error if it comes from two functions, and the error says what differs', async () => {
    const { message } = await startError(start({ useFactory }, { useFactory: () => useFactory() }));
    expect(message).toBe(
      'client ECHO: an option is invalid\n  - name is declared twice, with different credentials; rename one of the clients, or use one item (or one factory function) for both',
    );
  });

  it('is an error if one function got different dependencies', async () => {
    const other = { provide: Settings, useValue: 'other' };
    @Module({ providers: [other], exports: [other] })
    class OtherModule {}
    const source = { inject: [Settings], useFactory };
    const { message } = await startError(
      start({ ...source, imports: [SettingsModule] }, { ...source, imports: [OtherModule] }),
    );
    expect(message).toContain('name is declared twice, with different credentials');
  });
});

describe('a client whose class is replaced in a test', () => {
  const fake = { say: () => of({ text: 'fake', server: '', times: 0 }) };

  it('opens no connection', async () => {
    const [server] = await startBackends(1);
    const OrdersClient = echoClient(server!.address);
    const Beside = echoClient(server!.address, { name: 'BESIDE' });
    const app = await startApp(
      { imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient, Beside])] },
      (builder) => builder.overrideProvider(OrdersClient).useValue(fake),
    );
    const registry = app.get(GrpcLbRegistry);
    expect(registry.snapshot(OrdersClient)).toMatchObject({ state: 'idle', endpoints: [] });
    expect(await firstValueFrom(app.get(OrdersClient).say({}))).toMatchObject({ text: 'fake' });
    await firstValueFrom(app.get(Beside).say({}));
    expect(server!.connections).toBe(1);
  });

  it('connects if the client itself or one of its services is injected', async () => {
    const [server] = await startBackends(1);
    const [OrdersClient, PricesClient] = [echoClient(server!.address), echoClient(server!.address, { name: 'PRICES' })];
    @Injectable()
    class Caller {
      @InjectGrpcLbClient(OrdersClient) readonly client!: ClientGrpc;
      @InjectGrpcService(PricesClient, 'Echo') readonly prices!: EchoStub;
    }
    const app = await startApp(
      {
        imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient, PricesClient])],
        providers: [Caller],
      },
      (builder) => builder.overrideProvider(OrdersClient).useValue(fake).overrideProvider(PricesClient).useValue(fake),
    );
    for (const each of app.get(GrpcLbRegistry).snapshot()) expect(each.state).not.toBe('idle');
    expect(await firstValueFrom(app.get(Caller).prices.say({}))).toMatchObject({ server: server!.address });
  });

  it('connects if a class that extends it takes its place', async () => {
    const [server] = await startBackends(1);
    const OrdersClient = echoClient(server!.address);
    class SpyingClient extends OrdersClient {}
    const app = await startApp(
      { imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient])] },
      (builder) => builder.overrideProvider(OrdersClient).useClass(SpyingClient),
    );
    expect(app.get(GrpcLbRegistry).snapshot(OrdersClient).state).not.toBe('idle');
  });
});
