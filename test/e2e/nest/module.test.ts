import { type DynamicModule, Inject, Injectable, Module, type Type } from '@nestjs/common';
import { type ClientGrpc, Transport } from '@nestjs/microservices';
import {
  getGrpcLbClientToken,
  type GrpcLbClientOptions,
  type GrpcLbClientOptionsFactory,
  GrpcLbModule,
  type GrpcLbModuleOptions,
  type GrpcLbModuleOptionsFactory,
  GrpcLbRegistry,
  InjectGrpcLbClient,
  InjectGrpcService,
  leastRequest,
  roundRobin,
} from 'nestjs-grpc-lb';
import { GrpcServerModule, type GrpcServerModuleAsyncOptions } from 'nestjs-grpc-lb/server';
import { firstValueFrom, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, echoOptions, type EchoStub, startApp, startError } from '../../support/nest/app.js';

expectNoLeaks();

/** A module with one caller of a client class. */
function callerModule(
  EchoClient: Type<EchoStub>,
  imports: unknown[],
): { module: Type; caller: Type<{ readonly echo: EchoStub }> } {
  @Injectable()
  class Caller {
    constructor(@Inject(EchoClient) readonly echo: EchoStub) {}
  }
  @Module({ imports: imports as [], providers: [Caller] })
  class CallerModule {}
  return { module: CallerModule, caller: Caller };
}

const say = async (echo: EchoStub, text = 'x'): Promise<string> => (await firstValueFrom(echo.say({ text }))).server;

describe('a client that several modules use', () => {
  it('is one when they import the same feature module', async () => {
    const [server] = await startBackends(1);
    const EchoClient = echoClient(staticTarget([server!]));
    const feature = GrpcLbModule.forFeature([EchoClient]);
    const [a, b] = [callerModule(EchoClient, [feature]), callerModule(EchoClient, [feature])];
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), a.module, b.module] });
    expect(app.get(a.caller, { strict: false }).echo).toBe(app.get(b.caller, { strict: false }).echo);
  });

  it('has one channel when each declares it', async () => {
    const [server] = await startBackends(1);
    const EchoClient = echoClient(staticTarget([server!]));
    const [a, b] = [0, 1].map(() => callerModule(EchoClient, [GrpcLbModule.forFeature([EchoClient])]));
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), a!.module, b!.module] });
    for (const { caller } of [a!, b!]) await say(app.get(caller, { strict: false }).echo);
    expect(server).toMatchObject({ calls: 2, connections: 1 });
    expect(app.get(GrpcLbRegistry).snapshot()).toHaveLength(1);
  });

  it('has one channel when each declares it by name, with equal options', async () => {
    const [server] = await startBackends(1);
    const declare = () =>
      GrpcLbModule.forFeature([
        { name: 'ECHO', options: echoOptions(server!.address, { loadBalancing: { policy: leastRequest() } }) },
      ]);
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), declare(), declare()] });
    await say(app.get<ClientGrpc>('ECHO').getService('Echo'));
    expect(server!.connections).toBe(1);
  });

  it('is an error when they declare it with different options', async () => {
    const declare = (policy: GrpcLbClientOptions['loadBalancing']) =>
      GrpcLbModule.forFeature([{ name: 'ECHO', options: echoOptions('127.0.0.1:1', { loadBalancing: policy }) }]);
    const { message } = await startError({
      imports: [GrpcLbModule.forRoot(), declare({ policy: 'random' }), declare({ policy: 'round_robin' })],
    });
    expect(message).toContain(
      'client ECHO: an option is invalid\n  - name is declared twice, with different loadBalancing; rename one of the clients',
    );
  });

  it('is an error when a class and an item of the same name differ', async () => {
    const EchoClient = echoClient('127.0.0.1:1', { name: 'ECHO' });
    const item = { name: 'ECHO', options: echoOptions('127.0.0.1:2') };
    const { message } = await startError({
      imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient, item])],
    });
    expect(message).toContain('client ECHO: an option is invalid\n  - name is declared twice');
  });

  it('is visible where its feature module is imported, and not elsewhere', async () => {
    const EchoClient = echoClient('127.0.0.1:1');
    const { module } = callerModule(EchoClient, []);
    const { message } = await startError({
      imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([EchoClient]), module],
    });
    expect(message).toMatch(/can't resolve dependencies of the Caller/);
  });

  it('is visible everywhere when it is global', async () => {
    const [server] = await startBackends(1);
    const EchoClient = echoClient(server!.address);
    @Injectable()
    class Other {
      constructor(
        @InjectGrpcLbClient('ECHO') readonly client: ClientGrpc,
        @InjectGrpcService('ECHO', 'Echo') readonly echo: EchoStub,
      ) {}
    }
    @Module({ providers: [Other] })
    class OtherModule {}
    const { module, caller } = callerModule(EchoClient, []);
    const item = { name: 'ECHO', options: echoOptions(server!.address) };
    const app = await startApp({
      imports: [
        GrpcLbModule.forRoot(),
        GrpcLbModule.forFeature([EchoClient], { isGlobal: true }),
        GrpcLbModule.forFeatureAsync({ name: item.name, useFactory: () => item.options }, { isGlobal: true }),
        module,
        OtherModule,
      ],
    });
    expect(await say(app.get(caller, { strict: false }).echo)).toBe(server!.address);
    expect(await say(app.get(Other, { strict: false }).echo)).toBe(server!.address);
  });
});

describe('a named client', () => {
  it('may be an item of ClientsModule, unchanged', async () => {
    const [server] = await startBackends(1);
    const { target: url, ...options } = echoOptions(server!.address);
    const item = { name: 'ECHO', transport: Transport.GRPC, options: { ...options, url: url! } };
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([item])] });
    expect(await say(app.get<ClientGrpc>('ECHO').getService('Echo'))).toBe(server!.address);
  });

  it('may be named by a symbol', async () => {
    const [server] = await startBackends(1);
    const ECHO = Symbol('ECHO');
    @Injectable()
    class Caller {
      constructor(@InjectGrpcService(ECHO, 'Echo') readonly echo: EchoStub) {}
    }
    const item = { name: ECHO, options: echoOptions(server!.address) };
    const app = await startApp({
      imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([item])],
      providers: [Caller],
    });
    expect(await say(app.get(Caller).echo)).toBe(server!.address);
    expect(app.get(GrpcLbRegistry).get(ECHO)).toBe(app.get(ECHO));
    expect(app.get(GrpcLbRegistry).snapshot('ECHO').client).toBe('ECHO');
  });
});

@Injectable()
class Settings implements GrpcLbClientOptionsFactory, GrpcLbModuleOptionsFactory {
  static target = '';
  readonly asked: string[] = [];

  createGrpcLbClientOptions(name: string): GrpcLbClientOptions {
    this.asked.push(name);
    return echoOptions(Settings.target);
  }

  async createGrpcLbModuleOptions(): Promise<GrpcLbModuleOptions> {
    return { loadBalancing: { policy: roundRobin() } };
  }
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

const SOURCES = {
  'useFactory with inject': {
    imports: [SettingsModule],
    inject: [Settings],
    useFactory: (settings: Settings) => settings.createGrpcLbClientOptions(''),
  },
  'an asynchronous useFactory': { useFactory: async () => echoOptions(Settings.target) },
  useClass: { useClass: Settings },
  useExisting: { imports: [SettingsModule], useExisting: Settings },
};

describe.each(Object.entries(SOURCES))('forFeatureAsync by %s', (_, source) => {
  it('creates the options of a named client', async () => {
    const [server] = await startBackends(1);
    Settings.target = staticTarget([server!]);
    const feature = GrpcLbModule.forFeatureAsync({ name: 'ECHO', ...source });
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), feature] });
    expect(await say(app.get<ClientGrpc>('ECHO').getService('Echo'))).toBe(server!.address);
  });

  it('completes and overrides the options of a class', async () => {
    const [server] = await startBackends(1);
    Settings.target = staticTarget([server!]);
    const EchoClient = echoClient('127.0.0.1:1', { loadBalancing: { pool: { size: 2 } } });
    const feature = GrpcLbModule.forFeatureAsync([{ client: EchoClient, ...source }]);
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), feature] });
    expect(await say(app.get(EchoClient))).toBe(server!.address);
    expect(app.get(GrpcLbRegistry).snapshot(EchoClient).loadBalancing!.pool.size).toBe(2);
  });
});

it('a factory class gets the client whose options it creates', async () => {
  Settings.target = '127.0.0.1:1';
  const EchoClient = echoClient('', { name: 'CLASS' });
  const items = [
    { name: 'ITEM', useExisting: Settings, imports: [SettingsModule] },
    { client: EchoClient, useExisting: Settings },
  ];
  const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeatureAsync(items)] });
  expect(app.get(Settings, { strict: false }).asked.toSorted()).toEqual(['CLASS', 'ITEM']);
});

it('an asynchronous declaration without a source, or with two, is an error', () => {
  const none = { name: 'ECHO' };
  const two = { useClass: Settings, useExisting: Settings };
  const remedy = 'set exactly one of useFactory, useClass and useExisting';
  expect(() => GrpcLbModule.forFeatureAsync(none)).toThrow(
    `client ECHO: an option is invalid\n  - useFactory is missing; ${remedy}`,
  );
  expect(() => GrpcLbModule.forRootAsync(two)).toThrow(
    `GrpcLbModule.forRootAsync: an option is invalid\n  - useClass is set together with useExisting; ${remedy}`,
  );
});

describe('an asynchronous declaration says what is wrong with', () => {
  const client = (source: object) => GrpcLbModule.forFeatureAsync({ name: 'ECHO', ...source });
  const root = (source: unknown) => GrpcLbModule.forRootAsync(source as object);
  const server = (source: object) => GrpcServerModule.forRootAsync(source as GrpcServerModuleAsyncOptions);

  it.each<[string, () => unknown, string]>([
    ['no options', () => root(undefined), 'GrpcLbModule.forRootAsync: an option is invalid\n  - useFactory is missing'],
    [
      'options as the factory',
      () => client({ useFactory: { url: 'a:1' } }),
      'client ECHO: an option is invalid\n  - useFactory is {"url":"a:1"}; use a function that returns the options',
    ],
    [
      'a class by its name',
      () => root({ useClass: 'Settings' }),
      'GrpcLbModule.forRootAsync: an option is invalid\n  - useClass is "Settings"; use a class that creates the options',
    ],
    [
      'a server without a factory',
      () => server({}),
      'GrpcServerModule.forRootAsync: an option is invalid\n  - useFactory is undefined; use a function',
    ],
  ])('%s', (_, declare, message) => {
    expect(declare).toThrow(message);
  });

  class Config {}
  const TEXT = 'CONFIG';
  @Module({ providers: [Config, { provide: TEXT, useValue: 'a text' }], exports: [Config, TEXT] })
  class ConfigModule {}
  const remedy = 'add the method, or use useFactory';

  it.each<[string, string, () => DynamicModule, string]>([
    [
      'a class',
      'all clients',
      () => root({ useClass: Config }),
      `GrpcLbModule.forRootAsync: an option is invalid\n  - useClass is Config, which has no method createGrpcLbModuleOptions; ${remedy}`,
    ],
    [
      'a class',
      'a client',
      () => client({ useClass: Config }),
      `client ECHO: an option is invalid\n  - useClass is Config, which has no method createGrpcLbClientOptions; ${remedy}`,
    ],
    [
      'a provider',
      'a client',
      () => client({ useExisting: TEXT, imports: [ConfigModule] }),
      `client ECHO: an option is invalid\n  - useExisting is "CONFIG", which has no method createGrpcLbClientOptions; ${remedy}`,
    ],
  ])('%s that creates no options of %s', async (_, _whose, declare, message) => {
    const declared = declare();
    const imports = declared.module === GrpcLbModule ? [GrpcLbModule.forRoot(), declared] : [declared];
    expect(await startError({ imports })).toMatchObject({ code: 'GRPC_LB_INVALID_OPTIONS', message });
  });
});

describe('forRoot', () => {
  const ROOT_SOURCES = {
    'useFactory with inject': {
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: (settings: Settings) => settings.createGrpcLbModuleOptions(),
    },
    useClass: { useClass: Settings },
    useExisting: { imports: [SettingsModule], useExisting: Settings },
  };

  it.each(Object.entries(ROOT_SOURCES))('may get its options by %s', async (_, source) => {
    const EchoClient = echoClient('127.0.0.1:1');
    const root = GrpcLbModule.forRootAsync(source);
    const app = await startApp({ imports: [root, GrpcLbModule.forFeature([EchoClient])] });
    expect(app.get(GrpcLbRegistry).snapshot(EchoClient).loadBalancing!.policy).toEqual({ name: 'round_robin' });
  });

  it('sets options for every client, and a client overrides them field by field', async () => {
    const All = echoClient('127.0.0.1:1', { name: 'ALL' });
    const Own = echoClient('127.0.0.1:1', { name: 'OWN', loadBalancing: { policy: 'random', pool: { maxSize: 9 } } });
    const root = GrpcLbModule.forRoot({ loadBalancing: { policy: roundRobin(), pool: { size: 2, maxSize: 3 } } });
    const app = await startApp({ imports: [root, GrpcLbModule.forFeature([All, Own])] });
    const registry = app.get(GrpcLbRegistry);
    expect(registry.snapshot(All).loadBalancing).toMatchObject({
      policy: { name: 'round_robin' },
      pool: { size: 2, maxSize: 3 },
    });
    expect(registry.snapshot(Own).loadBalancing).toMatchObject({
      policy: { name: 'random' },
      pool: { size: 2, maxSize: 9 },
    });
  });

  it('may come after the features', async () => {
    const EchoClient = echoClient('127.0.0.1:1');
    const app = await startApp({ imports: [GrpcLbModule.forFeature([EchoClient]), GrpcLbModule.forRoot()] });
    expect(app.get(GrpcLbRegistry).snapshot()).toHaveLength(1);
  });

  it('may be imported only once: a second call is rejected anywhere', async () => {
    @Module({ imports: [GrpcLbModule.forRoot()] })
    class OrdersModule {}
    const error = await startError({ imports: [GrpcLbModule.forRoot(), OrdersModule] });
    expect(error).toMatchObject({
      code: 'GRPC_LB_INVALID_OPTIONS',
      message:
        'GrpcLbModule: an option is invalid\n  - forRoot() is imported more than once; keep the import in the root module',
    });
  });

  it('may be imported twice as the same module instance', async () => {
    const root = GrpcLbModule.forRoot();
    @Module({ imports: [root] })
    class OrdersModule {}
    const app = await startApp({ imports: [root, OrdersModule] });
    expect(app.get(GrpcLbRegistry).snapshot()).toEqual([]);
  });

  it('is required: the error says where to add it', async () => {
    const error = await startError({
      imports: [GrpcLbModule.forFeature([echoClient('127.0.0.1:1', { name: 'ECHO' })])],
    });
    expect(error).toMatchObject({
      code: 'GRPC_LB_INVALID_OPTIONS',
      message:
        'client ECHO: an option is invalid\n  - GrpcLbModule.forRoot() is missing; add it to the imports of the root module',
    });
  });

  it.each([
    ['an option', { loadBalancng: {} }, 'loadBalancng is not an option; did you mean "loadBalancing"?'],
    [
      'a policy outside of loadBalancing',
      { policy: 'random' },
      'policy is not an option here; move it to loadBalancing',
    ],
    [
      'a policy',
      { loadBalancing: { policy: 'least_reqest' } },
      'loadBalancing.policy is "least_reqest", which is not a known policy; did you mean "least_request"?',
    ],
    [
      'an override',
      { overrides: { ECHO: { taget: 'a:1' } } },
      'overrides.ECHO.taget is not an option; did you mean "target"?',
    ],
  ])('rejects %s that is misspelled or misplaced', async (_, options, fault) => {
    const { message } = await startError({ imports: [GrpcLbModule.forRoot(options as GrpcLbModuleOptions)] });
    expect(message).toContain(`GrpcLbModule.forRoot: an option is invalid\n  - ${fault}`);
  });
});

describe('in a test of the user', () => {
  const fake = { say: () => of({ text: 'fake', server: '', times: 0 }) };

  it('a named client can be replaced', async () => {
    const item = { name: 'ORDERS', options: echoOptions('127.0.0.1:1') };
    @Injectable()
    class Caller {
      constructor(@InjectGrpcService('ORDERS', 'Echo') readonly echo: EchoStub) {}
    }
    const app = await startApp(
      { imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([item])], providers: [Caller] },
      (builder) => builder.overrideProvider(getGrpcLbClientToken('ORDERS')).useValue({ getService: () => fake }),
    );
    expect(await firstValueFrom(app.get(Caller).echo.say({}))).toMatchObject({ text: 'fake' });
    expect(app.get(GrpcLbRegistry).snapshot()).toEqual([]);
  });

  it('the client of a class can be replaced', async () => {
    const OrdersClient = echoClient('127.0.0.1:1');
    const app = await startApp(
      { imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient])] },
      (builder) => builder.overrideProvider(getGrpcLbClientToken(OrdersClient)).useValue({ getService: () => fake }),
    );
    expect(await firstValueFrom(app.get(OrdersClient).say({}))).toMatchObject({ text: 'fake' });
    expect(app.get(GrpcLbRegistry).snapshot()).toEqual([]);
  });

  it('a class can be replaced by a value', async () => {
    const OrdersClient = echoClient('127.0.0.1:1');
    const app = await startApp(
      { imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient])] },
      (builder) => builder.overrideProvider(OrdersClient).useValue(fake),
    );
    expect(await firstValueFrom(app.get(OrdersClient).say({}))).toMatchObject({ text: 'fake' });
  });

  it('a class can be replaced by one that extends it', async () => {
    const [server] = await startBackends(1);
    const OrdersClient = echoClient(server!.address);
    class SpyingClient extends OrdersClient {
      readonly texts: unknown[] = [];
      override readonly say: EchoStub['say'] = (request, ...rest) => {
        this.texts.push(request.text);
        return super.say(request, ...(rest as []));
      };
    }
    const app = await startApp(
      { imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient])] },
      (builder) => builder.overrideProvider(OrdersClient).useClass(SpyingClient),
    );
    expect(await say(app.get(OrdersClient), 'seen')).toBe(server!.address);
    expect((app.get(OrdersClient) as SpyingClient).texts).toEqual(['seen']);
  });
});
