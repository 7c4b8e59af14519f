import { ConfigModule } from '@nestjs/config';
import { GrpcLbModule, type GrpcLbModuleOptions, GrpcLbRegistry, roundRobin } from 'nestjs-grpc-lb';
import { grpcLbConfig, grpcLbEnvironmentSchema } from 'nestjs-grpc-lb/config';
import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startBackends } from '../../support/echo/backends.js';
import { staticTarget } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, echoOptions, startApp, startError } from '../../support/nest/app.js';

expectNoLeaks();

afterEach(() => vi.unstubAllEnvs());

function environment(variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
}

const fromEnvironment = () => GrpcLbModule.forRootAsync(grpcLbConfig.asProvider());

describe('the environment', () => {
  it('takes precedence over the code, and the snapshot shows the effective options', async () => {
    const servers = await startBackends(2);
    const EchoClient = echoClient('127.0.0.1:1', {
      loadBalancing: { policy: 'random', pool: { size: 1, maxPending: 5 } },
    });
    environment({
      GRPC_LB_ECHO_CLIENT_TARGET: staticTarget(servers),
      GRPC_LB_ECHO_CLIENT_POLICY: 'round_robin',
      GRPC_LB_ECHO_CLIENT_POOL_SIZE: '2',
      GRPC_LB_ECHO_CLIENT_POOL_MAX_SIZE: '3',
    });
    const app = await startApp({ imports: [fromEnvironment(), GrpcLbModule.forFeature([EchoClient])] });
    expect(servers.map(({ address }) => address)).toContain((await firstValueFrom(app.get(EchoClient).say({}))).server);
    expect(app.get(GrpcLbRegistry).snapshot(EchoClient)).toMatchObject({
      target: staticTarget(servers),
      loadBalancing: { policy: { name: 'round_robin' }, pool: { size: 2, maxSize: 3, maxPending: 5 } },
    });
  });

  it('replaces a url too', async () => {
    const [server] = await startBackends(1);
    const { target: _, ...options } = echoOptions('');
    environment({ GRPC_LB_ORDERS_TARGET: server!.address });
    const item = { name: 'orders', options: { ...options, url: '127.0.0.1:1' } };
    const app = await startApp({ imports: [fromEnvironment(), GrpcLbModule.forFeature([item])] });
    expect(app.get(GrpcLbRegistry).snapshot('orders').target).toBe(server!.address);
  });

  it('may have several targets by priority', async () => {
    const servers = await startBackends(2);
    environment({ GRPC_LB_ECHO_CLIENT_TARGET: servers.map(({ address }) => `static:///${address}`).join(' ') });
    const EchoClient = echoClient('127.0.0.1:1');
    const app = await startApp({ imports: [fromEnvironment(), GrpcLbModule.forFeature([EchoClient])] });
    expect(await firstValueFrom(app.get(EchoClient).say({}))).toMatchObject({ server: servers[0]!.address });
    expect(app.get(GrpcLbRegistry).snapshot(EchoClient)).toMatchObject({
      target: servers.map(({ address }) => `static:///${address}`).join(' '),
      source: { endpoints: 2, state: 'ok' },
      sources: [{ endpoints: 1 }, { endpoints: 1 }],
      endpoints: [{ address: servers[0]!.address, priority: 0 }],
    });
  });

  it('with one target replaces several in the code, and vice versa', async () => {
    const [one, two] = await startBackends(2);
    const { target: _, ...options } = echoOptions('');
    environment({ GRPC_LB_ONE_TARGET: one!.address, GRPC_LB_MORE_TARGET: `${one!.address} ${two!.address}` });
    const items = [
      { name: 'ONE', options: { ...options, targets: ['127.0.0.1:1', '127.0.0.1:2'] } },
      { name: 'MORE', options: { ...options, target: '127.0.0.1:1' } },
    ];
    const app = await startApp({ imports: [fromEnvironment(), GrpcLbModule.forFeature(items)] });
    const targets = app
      .get(GrpcLbRegistry)
      .snapshot()
      .map(({ target }) => target);
    expect(targets).toEqual([one!.address, `${one!.address} ${two!.address}`]);
  });

  it.each([
    ['OrdersClient', 'ORDERS_CLIENT'],
    ['orders', 'ORDERS'],
    ['ORDERS', 'ORDERS'],
    ['orders-v2', 'ORDERS_V2'],
    ['orders.v2', 'ORDERS_V2'],
    ['HTTPOrders', 'HTTP_ORDERS'],
    ['OrdersV2Client', 'ORDERS_V2_CLIENT'],
  ])('knows the client %s as %s', async (name, variable) => {
    environment({ [`GRPC_LB_${variable}_POOL_MAX_PENDING`]: '7' });
    const app = await startApp({
      imports: [fromEnvironment(), GrpcLbModule.forFeature([{ name, options: echoOptions('127.0.0.1:1') }])],
    });
    expect(app.get(GrpcLbRegistry).snapshot(name).loadBalancing!.pool.maxPending).toBe(7);
  });

  it('may give a policy with its options', async () => {
    environment({ GRPC_LB_ECHO_CLIENT_POLICY: '{"name":"least_request","choiceCount":3}' });
    const EchoClient = echoClient('127.0.0.1:1');
    const app = await startApp({ imports: [fromEnvironment(), GrpcLbModule.forFeature([EchoClient])] });
    expect(app.get(GrpcLbRegistry).snapshot(EchoClient).loadBalancing!.policy).toEqual({
      name: 'least_request',
      choiceCount: 3,
    });
  });

  it('ignores an empty variable', async () => {
    environment({ GRPC_LB_ECHO_CLIENT_TARGET: '', GRPC_LB_ECHO_CLIENT_POLICY: '' });
    const EchoClient = echoClient('127.0.0.1:1');
    const app = await startApp({ imports: [fromEnvironment(), GrpcLbModule.forFeature([EchoClient])] });
    expect(app.get(GrpcLbRegistry).snapshot(EchoClient)).toMatchObject({
      target: '127.0.0.1:1',
      loadBalancing: { policy: { name: 'least_request' } },
    });
  });

  it('is rejected with all its faults if it is invalid', async () => {
    environment({
      GRPC_LB_ECHO_CLIENT_POLICY: 'rond_robin',
      GRPC_LB_ECHO_CLIENT_POOL_SIZE: 'two',
      GRPC_LB_ECHO_CLIENT_POOL_MAX_PENDING: '-1',
      GRPC_LB_ECHO_CLIENT_TARGT: 'a:1',
      GRPC_LB_POLICY: 'random',
    });
    const { message } = await startError({ imports: [fromEnvironment()] });
    expect(message.split('\n').toSorted()).toEqual([
      expect.stringMatching(
        /^ {2}- GRPC_LB_ECHO_CLIENT_POLICY is "rond_robin", which is not a known policy; did you mean "round_robin"\?; use one of /,
      ),
      '  - GRPC_LB_ECHO_CLIENT_POOL_MAX_PENDING is -1; use a whole number from 0 to 1000000',
      '  - GRPC_LB_ECHO_CLIENT_POOL_SIZE is "two"; use a whole number from 1 to 100',
      expect.stringMatching(
        /^ {2}- GRPC_LB_ECHO_CLIENT_TARGT .* is not a variable of this package; did you mean "TARGET"\?; the names after GRPC_LB_<CLIENT>_ are TARGET, POLICY,/,
      ),
      expect.stringMatching(/^ {2}- GRPC_LB_POLICY /),
      'environment: 5 options are invalid',
    ]);
  });

  it.each(['nowhere:///x', '127.0.0.1:2 nowhere:///x'])(
    'with an invalid target (%j) is rejected by the client, with the name of the variable',
    async (target) => {
      environment({ GRPC_LB_ECHO_CLIENT_TARGET: target });
      const { message } = await startError({
        imports: [fromEnvironment(), GrpcLbModule.forFeature([echoClient('127.0.0.1:1')])],
      });
      expect(message).toContain(
        'client EchoClient: an option is invalid\n  - GRPC_LB_ECHO_CLIENT_TARGET "nowhere:///x": scheme is "nowhere"',
      );
    },
  );

  it('causes a warning if nothing reads it, as without grpcLbConfig', async () => {
    const warnings: string[] = [];
    const nothing = (): void => {};
    const logger = { log: nothing, error: nothing, warn: (message: string) => void warnings.push(message) };
    environment({ GRPC_LB_ECHO_CLIENT_TARGET: 'static:///127.0.0.1:2', GRPC_LB_ECHO_CLIENT_POOL_SIZE: '2' });
    const imports = [
      GrpcLbModule.forRoot({ logging: false }),
      GrpcLbModule.forFeature([echoClient('static:///127.0.0.1:1')]),
    ];
    await startApp({ imports }, (builder) => builder.setLogger(logger));
    expect(warnings).toEqual([
      'GRPC_LB_ECHO_CLIENT_POOL_SIZE, GRPC_LB_ECHO_CLIENT_TARGET of the environment have no effect, because the module does not read the environment; install @nestjs/config and import GrpcLbModule.forRootAsync(grpcLbConfig.asProvider()), with grpcLbConfig of nestjs-grpc-lb/config',
    ]);
  });

  it('causes a warning if the code sets other overrides of the same client', async () => {
    const warnings: string[] = [];
    const nothing = (): void => {};
    const logger = { log: nothing, error: nothing, warn: (message: string) => void warnings.push(message) };
    environment({ GRPC_LB_ECHO_CLIENT_POLICY: 'round_robin' });
    const imports = [
      GrpcLbModule.forRoot({ logging: false, overrides: { ECHO_CLIENT: { target: 'static:///127.0.0.1:2' } } }),
      GrpcLbModule.forFeature([echoClient('static:///127.0.0.1:1')]),
    ];
    await startApp({ imports }, (builder) => builder.setLogger(logger));
    expect(warnings).toEqual([
      expect.stringContaining(
        'GRPC_LB_ECHO_CLIENT_POLICY of the environment has no effect, because the overrides of the module have other values; install @nestjs/config',
      ),
    ]);
  });

  it('may have variables of a client that this application does not have, with a warning', async () => {
    const warnings: string[] = [];
    const nothing = (): void => {};
    const logger = { log: nothing, error: nothing, warn: (message: string) => void warnings.push(message) };
    environment({ GRPC_LB_ECHO_CLIENTS_TARGET: 'a:1' });
    await startApp({ imports: [fromEnvironment(), GrpcLbModule.forFeature([echoClient('127.0.0.1:1')])] }, (builder) =>
      builder.setLogger(logger),
    );
    expect(warnings).toEqual([
      'GRPC_LB_ECHO_CLIENTS_TARGET of the environment has no effect, because there is no client ECHO_CLIENTS here; did you mean GRPC_LB_ECHO_CLIENT_TARGET?; the clients here are ECHO_CLIENT',
    ]);
  });

  it('is checked by ConfigModule too, which accepts other variables', async () => {
    const config = () => ConfigModule.forRoot({ validationSchema: grpcLbEnvironmentSchema, ignoreEnvFile: true });
    environment({ GRPC_LB_ECHO_CLIENT_POOL_SIZE: '0' });
    const { message } = await startError({ imports: [await errorAsModule(config)] });
    expect(message).toContain('GRPC_LB_ECHO_CLIENT_POOL_SIZE is 0; use a whole number from 1 to 100');
    environment({ GRPC_LB_ECHO_CLIENT_POOL_SIZE: '2', OTHER: 'stays' });
    await startApp({ imports: [await config()] });
  });
});

describe('at start-up', () => {
  const warningsOf = async (options: GrpcLbModuleOptions): Promise<string[]> => {
    const warnings: string[] = [];
    const nothing = (): void => {};
    const logger = { log: nothing, error: nothing, warn: (message: string) => void warnings.push(message) };
    const [server] = await startBackends(1);
    const client = echoClient(`static:///${server!.address}`, { loadBalancing: { health: { enabled: false } } });
    await startApp({ imports: [GrpcLbModule.forRoot(options), GrpcLbModule.forFeature([client])] }, (builder) =>
      builder.setLogger(logger),
    );
    return warnings;
  };

  it('a proxy for gRPC that has no effect causes a warning', async () => {
    environment({ grpc_proxy: 'http://me:secret@proxy.corp:3128' });
    expect(await warningsOf({})).toEqual([
      expect.stringMatching(/^client EchoClient: grpc_proxy is http:\/\/proxy\.corp:3128 and has no effect/),
    ]);
    expect(await warningsOf({ logging: false })).toEqual([]);
  });

  it('a usual process causes none', async () => {
    environment({ grpc_proxy: '', https_proxy: '', http_proxy: '' });
    expect(await warningsOf({})).toEqual([]);
  });
});

/** `ConfigModule.forRoot` validates when it is called; here its error becomes that of the application. */
async function errorAsModule(config: () => unknown): Promise<never> {
  try {
    return (await config()) as never;
  } catch (error) {
    class Broken {}
    return {
      module: Broken,
      providers: [{ provide: 'BROKEN', useFactory: () => Promise.reject(error as Error) }],
    } as never;
  }
}

describe('overrides from elsewhere', () => {
  it('may come from any factory', async () => {
    const [server] = await startBackends(1);
    const EchoClient = echoClient('127.0.0.1:1');
    const options: GrpcLbModuleOptions = {
      overrides: { ECHO_CLIENT: { target: server!.address, loadBalancing: { policy: roundRobin() } } },
    };
    const app = await startApp({
      imports: [GrpcLbModule.forRootAsync({ useFactory: async () => options }), GrpcLbModule.forFeature([EchoClient])],
    });
    expect(await firstValueFrom(app.get(EchoClient).say({}))).toMatchObject({ server: server!.address });
    expect(app.get(GrpcLbRegistry).snapshot(EchoClient).loadBalancing!.policy).toEqual({ name: 'round_robin' });
  });

  it('take precedence over the common options of the module', async () => {
    const EchoClient = echoClient('127.0.0.1:1');
    const root = GrpcLbModule.forRoot({
      loadBalancing: { pool: { size: 3, maxPending: 5 } },
      overrides: { ECHO_CLIENT: { loadBalancing: { pool: { size: 2 } } } },
    });
    const app = await startApp({ imports: [root, GrpcLbModule.forFeature([EchoClient])] });
    expect(app.get(GrpcLbRegistry).snapshot(EchoClient).loadBalancing!.pool).toMatchObject({ size: 2, maxPending: 5 });
  });
});
