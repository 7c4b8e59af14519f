import { Inject, Injectable, Module } from '@nestjs/common';
import { ClientProxy, ClientTCP } from '@nestjs/microservices';
import { GrpcLbClientHandle, GrpcLbModule, GrpcLbRegistry } from 'nestjs-grpc-lb';
import {
  type ClientGrpc,
  type ClientOptions,
  type ClientProviderOptions,
  ClientsModule,
  type ClientsModuleOptionsFactory,
  type ClientsProviderAsyncOptions,
  Transport,
} from 'nestjs-grpc-lb/microservices';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { echoOptions, type EchoStub, startApp, startError } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

/** What an application on Nest's ClientsModule has, in Nest's own types. */
function clientOptions(url: string): ClientOptions {
  const { target: _, ...options } = echoOptions(url);
  return { transport: Transport.GRPC, options: { ...(options as { package: string }), url } };
}

/** As applications have it: a provider that asks the client for its service in onModuleInit. */
@Injectable()
class Caller {
  private echo!: EchoStub;
  constructor(@Inject('ECHO') private readonly client: ClientGrpc) {}

  onModuleInit(): void {
    this.echo = this.client.getService<EchoStub>('Echo');
  }

  async call(): Promise<string> {
    return (await firstValueFrom(this.echo.say({ text: 'x' }))).server;
  }
}

@Injectable()
class Settings implements ClientsModuleOptionsFactory {
  static url = '';
  createClientOptions(): ClientOptions {
    return clientOptions(Settings.url);
  }
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

const inject = [Settings];
const imports = [SettingsModule];
const useFactory = (settings: Settings): ClientOptions => settings.createClientOptions();

const DECLARATIONS = {
  'register of a list': () => ClientsModule.register([{ name: 'ECHO', ...clientOptions(Settings.url) }]),
  'register of clients': () => ClientsModule.register({ clients: [{ name: 'ECHO', ...clientOptions(Settings.url) }] }),
  'registerAsync by useFactory': () => ClientsModule.registerAsync([{ name: 'ECHO', imports, inject, useFactory }]),
  'registerAsync by an asynchronous useFactory': () =>
    ClientsModule.registerAsync({ clients: [{ name: 'ECHO', useFactory: async () => clientOptions(Settings.url) }] }),
  'registerAsync by useClass': () => ClientsModule.registerAsync([{ name: 'ECHO', useClass: Settings }]),
  'registerAsync by useExisting': () =>
    ClientsModule.registerAsync([{ name: 'ECHO', imports, useExisting: Settings } as ClientsProviderAsyncOptions]),
  'registerAsync with extraProviders': () =>
    ClientsModule.registerAsync([{ name: 'ECHO', extraProviders: [Settings], inject, useFactory }]),
  'forFeatureAsync with the factory of registerAsync': () =>
    GrpcLbModule.forFeatureAsync({ name: 'ECHO', useFactory: () => clientOptions(Settings.url) as never }),
};

describe.each(Object.entries(DECLARATIONS))('ClientsModule declares a balanced client by %s', (_, declare) => {
  it('where it is imported', async () => {
    const [server] = await startBackends(1);
    Settings.url = server!.address;
    @Module({ imports: [declare()], providers: [Caller] })
    class CallerModule {}
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), CallerModule] });
    expect(await app.get(Caller, { strict: false }).call()).toBe(server!.address);
    expect(app.get(GrpcLbRegistry).get('ECHO')).toBeInstanceOf(GrpcLbClientHandle);
  });
});

it('a module may export ClientsModule', async () => {
  const [server] = await startBackends(1);
  const item = { name: 'ECHO', ...clientOptions(server!.address) };
  @Module({ imports: [ClientsModule.register([item])], exports: [ClientsModule] })
  class Clients {}
  @Module({ imports: [Clients], providers: [Caller] })
  class CallerModule {}
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), CallerModule] });
  expect(await app.get(Caller, { strict: false }).call()).toBe(server!.address);
});

it('clients are visible everywhere with isGlobal, of every transport', async () => {
  const [server] = await startBackends(1);
  const clients = [
    { name: 'ECHO', ...clientOptions(server!.address) },
    { name: 'EVENTS', transport: Transport.TCP } as ClientProviderOptions,
  ];
  @Injectable()
  class Other {
    constructor(@Inject('EVENTS') readonly events: ClientProxy) {}
  }
  @Module({ providers: [Caller, Other] })
  class CallerModule {}
  const app = await startApp({
    imports: [GrpcLbModule.forRoot(), ClientsModule.register({ isGlobal: true, clients }), CallerModule],
  });
  expect(await app.get(Caller, { strict: false }).call()).toBe(server!.address);
  expect(app.get(Other, { strict: false }).events).toBeInstanceOf(ClientTCP);
});

it('items of other transports stay clients of Nest, and so do those of a class', async () => {
  class Own extends ClientTCP {}
  const app = await startApp({
    imports: [
      GrpcLbModule.forRoot(),
      ClientsModule.register([
        { name: 'ECHO', ...clientOptions('127.0.0.1:1') },
        { name: 'TCP', transport: Transport.TCP, options: { port: 1 } },
        { name: 'OWN', customClass: Own as never },
      ]),
    ],
  });
  expect(app.get('TCP')).toBeInstanceOf(ClientTCP);
  expect(app.get('OWN')).toBeInstanceOf(Own);
  expect(app.get('ECHO')).toBeInstanceOf(GrpcLbClientHandle);
});

it('a target of forRoot() serves an item without url, whose options the server has too', async () => {
  const servers = await startBackends(2);
  const { options, ...item } = clientOptions('') as { options: { url?: string } };
  const { url: _, ...shared } = options;
  const target = `static:///${servers.map(({ address }) => address).join(',')}`;
  const app = await startApp({
    imports: [
      GrpcLbModule.forRoot({ overrides: { ECHO: { target } } }),
      ClientsModule.register([{ name: 'ECHO', ...item, options: shared } as never]),
    ],
    providers: [Caller],
  });
  const caller = app.get(Caller);
  const seen = new Set<string>();
  while (seen.size < servers.length) seen.add(await caller.call());
  expect([...seen].toSorted()).toEqual(servers.map(({ address }) => address).toSorted());
});

describe('ClientsModule rejects', () => {
  const faultOf = async (module: object): Promise<string> =>
    (await startError({ imports: [GrpcLbModule.forRoot(), module as never] })).message;

  it('what a factory returns for another transport', async () => {
    const module = ClientsModule.registerAsync([{ name: 'EVENTS', useFactory: () => ({ transport: Transport.TCP }) }]);
    expect(await faultOf(module)).toBe(
      'client EVENTS: an option is invalid\n  - transport is TCP; only gRPC is balanced, so keep this item in ClientsModule of @nestjs/microservices',
    );
  });

  it('what a factory returns beside options', async () => {
    const module = ClientsModule.registerAsync([
      { name: 'ECHO', useFactory: () => ({ ...clientOptions('127.0.0.1:1'), url: 'x' }) },
    ]);
    expect(await faultOf(module)).toBe(
      'client ECHO: an option is invalid\n  - url is not a field of a client item; move it to options',
    );
  });

  it('values that are not a list of items', () => {
    expect(() => ClientsModule.register('ECHO' as never)).toThrow('clients is "ECHO"; use an array');
    expect(() => ClientsModule.register([undefined as never])).toThrow('clients[0] is undefined');
    expect(() => ClientsModule.registerAsync(undefined as never)).toThrow('items[0]');
  });
});
