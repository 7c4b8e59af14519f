import { Module } from '@nestjs/common';
import { Transport } from '@nestjs/microservices';
import {
  ConnectionPool,
  Deadline,
  GrpcLbClient,
  type GrpcLbClientItem,
  GrpcLbModule,
  GrpcService,
  HealthCheck,
  Hedge,
  LeastRequest,
  PickFirst,
  Random,
  Retry,
  RoundRobin,
} from 'nestjs-grpc-lb';
import { describe, expect, it } from 'vitest';
import { registerConsul } from 'nestjs-grpc-lb/consul';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, echoOptions, type EchoService, startError } from '../../support/nest/app.js';

expectNoLeaks();

const options = echoOptions('127.0.0.1:1');
const echo = { ...options, service: 'Echo' };

type Client = Parameters<typeof GrpcLbModule.forFeature>[0][number];

/** The lines of the error of an application with these clients. */
async function faultsOf(...clients: Client[]): Promise<string[]> {
  const { message } = await startError({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature(clients)] });
  return message.split('\n').map((line) => line.trim());
}

describe('a client class is rejected', () => {
  it('with two policies', async () => {
    @GrpcLbClient(echo)
    @LeastRequest()
    @RoundRobin()
    class EchoClient extends GrpcService<EchoService>() {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client EchoClient: an option is invalid',
      '- loadBalancing.policy is declared by @LeastRequest and @RoundRobin; keep one',
    ]);
  });

  it('with the same setting in a decorator and in the options, in any order', async () => {
    @ConnectionPool({ size: 2 })
    @PickFirst()
    @GrpcLbClient({ ...echo, loadBalancing: { policy: 'random', pool: { size: 1 } } })
    class EchoClient extends GrpcService<EchoService>() {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client EchoClient: 2 options are invalid',
      '- loadBalancing.policy is declared by @GrpcLbClient and @PickFirst; keep one',
      '- loadBalancing.pool is declared by @GrpcLbClient and @ConnectionPool; keep one',
    ]);
  });

  it('with all invalid decorator options at once', async () => {
    @GrpcLbClient({ ...echo, service: '', package: 'ecko.v1' })
    @LeastRequest({ choiceCont: 2 } as never)
    @ConnectionPool({ size: 200 })
    class EchoClient extends GrpcService<EchoService>() {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client EchoClient: 4 options are invalid',
      '- service is ""; set the service of the proto file',
      '- loadBalancing.policy.choiceCont is not an option; did you mean "choiceCount"?',
      '- loadBalancing.pool.size is 200; use a whole number from 1 to 100',
      '- package is "ecko.v1", which the proto files do not define; did you mean "echo.v1"?; they define echo.v1',
    ]);
  });

  it('with decorator options that are not objects or have misspelled names', async () => {
    @GrpcLbClient(echo)
    @Deadline('2s' as never)
    @Retry({ attempts: 3, methods: ['Say'] } as never)
    @HealthCheck(true as never)
    class EchoClient extends GrpcService<EchoService>() {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client EchoClient: 4 options are invalid',
      '- loadBalancing.deadline is "2s"; use { timeout: 2000 }, in milliseconds',
      '- loadBalancing.retry.attempts is not an option; did you mean "maxAttempts"?',
      '- loadBalancing.retry.methods is ["Say"]; use an object',
      expect.stringMatching(/^- loadBalancing\.health is true; use an object with /),
    ]);
  });

  it('in the providers of a module: the Nest error says where it belongs', async () => {
    const { message } = await startError({ imports: [GrpcLbModule.forRoot()], providers: [echoClient('127.0.0.1:1')] });
    expect(message).toContain("can't resolve dependencies of the EchoClient");
    expect(message).toContain('list the class in GrpcLbModule.forFeature([...]), not in providers');
  });

  it('with a service that the package does not have', async () => {
    @GrpcLbClient({ ...echo, name: 'ECHO', service: 'Ecko' })
    class EchoClient extends GrpcService<EchoService>() {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client ECHO: an option is invalid',
      '- service is "Ecko", which package echo.v1 does not have; did you mean "Echo"?; it has Echo, Mirror',
    ]);
  });

  it('without @GrpcLbClient', async () => {
    class EchoClient extends GrpcService<EchoService>() {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client EchoClient: an option is invalid',
      '- @GrpcLbClient is missing on the class; decorate the class with @GrpcLbClient({ package, service, protoPath, target })',
    ]);
  });

  it('that does not extend GrpcService<T>()', async () => {
    @GrpcLbClient(echo)
    class EchoClient {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client EchoClient: an option is invalid',
      '- @GrpcLbClient is on a class without methods to call; extend GrpcService<T>()',
    ]);
  });

  it('only when the application starts: decorators and modules can be evaluated', () => {
    @GrpcLbClient({ service: 5, nonsense: true } as never)
    @LeastRequest({ choiceCount: -1 })
    class EchoClient extends GrpcService<EchoService>() {}
    @Module({ imports: [GrpcLbModule.forFeature([EchoClient])] })
    class Feature {}
    expect(Feature.name).toBe('Feature');
  });
});

describe('a named client is rejected', () => {
  it('with the name of another in the same list', () => {
    const list = (): unknown => GrpcLbModule.forFeature([item('ECHO'), item('OTHER'), item('ECHO')]);
    const item = (name: string): GrpcLbClientItem => ({ name, options });
    expect(list).toThrow(
      'GrpcLbModule.forFeature: an option is invalid\n  - clients[2].name is "ECHO", the same as clients[0]; rename one of them, or remove it',
    );
    const useFactory = (): object => options;
    const items = [
      { name: 'ECHO', useFactory },
      { name: 'ECHO', useFactory },
    ];
    expect(() => GrpcLbModule.forFeatureAsync(items)).toThrow('items[1].name is "ECHO", the same as items[0]');
  });

  it('whose factory does not return its options', async () => {
    const feature = GrpcLbModule.forFeatureAsync({ name: 'ECHO', useFactory: () => 'orders:50051' as never });
    const { message } = await startError({ imports: [GrpcLbModule.forRoot(), feature] });
    expect(message).toBe(
      'client ECHO: an option is invalid\n  - useFactory returns "orders:50051"; return the options of the client, as in { url, package, protoPath }',
    );
  });

  it('with client options outside of `options`', async () => {
    expect(await faultsOf({ name: 'ECHO', url: 'x', options } as GrpcLbClientItem)).toEqual([
      'client ECHO: an option is invalid',
      '- url is not a field of a client item; move it to options',
    ]);
  });

  it('with another transport, as the only fault', async () => {
    const item = { name: 'ECHO', transport: Transport.TCP, options: { host: 'x', port: 1 } as object };
    expect(await faultsOf(item as GrpcLbClientItem)).toEqual([
      'client ECHO: an option is invalid',
      '- transport is TCP; only gRPC is balanced, so keep this item in ClientsModule of @nestjs/microservices',
    ]);
  });

  it('with its options next to the name, without follow-up faults', async () => {
    const item = { name: 'ECHO', package: 'echo.v1', url: 'x' } as object;
    expect(await faultsOf(item as GrpcLbClientItem)).toEqual([
      'client ECHO: an option is invalid',
      '- options is missing; move package, url to options, as in { name, options: { ... } }',
    ]);
  });

  it('without options', async () => {
    expect(await faultsOf({ name: 'ECHO' } as GrpcLbClientItem)).toEqual([
      'client ECHO: 3 options are invalid',
      '- package is missing; set the package of the proto file, as in orders.v1, or definition, a service of generated code',
      '- target is missing; set where the endpoints are, as in dns:///orders:50051 (there is no default, and options of a server may have no url)',
      '- protoPath is missing; set one of protoPath (a proto file), packageDefinition, and definition (a service of generated code)',
    ]);
  });
});

describe('several addresses in url', () => {
  const { target: _, ...rest } = options;
  const urlFaults = (url: unknown): Promise<string[]> =>
    faultsOf({ name: 'ECHO', options: { ...rest, url } } as GrpcLbClientItem);

  it('are all checked', async () => {
    expect(await urlFaults(['a:1', 5, '', 'b:1,c:1', 'dns:///orders:1', 'localhost:1;weight=2'])).toEqual([
      'client ECHO: 4 options are invalid',
      '- url[1] is 5; use an address, as in "orders:50051"',
      '- url[2] is ""; use an address, as in "orders:50051"',
      '- url[3] is "b:1,c:1"; list each address as its own item',
      '- url[4] is "dns:///orders:1", which is a target, not an address; for several targets by priority write targets: [...]',
    ]);
  });

  it('are reported with their index if the source rejects them', async () => {
    expect(await urlFaults(['a:1', 'b', 'unix:/run/orders.sock', 'a:1'])).toEqual([
      'client ECHO: 2 options are invalid',
      '- url[1] is "b", without a port; add one, as in "b:50051"',
      '- url[3] is "a:1", the same as address 1; list each endpoint once; to send it more calls, give it a weight',
    ]);
  });

  it('may not be an empty list', async () => {
    expect(await urlFaults([])).toEqual([
      'client ECHO: an option is invalid',
      '- url is an empty list; list at least one address, as in ["orders:50051"]',
    ]);
  });

  it('may not be given as target', async () => {
    expect(await faultsOf({ name: 'ECHO', options: { ...rest, target: ['a:1', 'b:1'] } } as never)).toEqual([
      'client ECHO: an option is invalid',
      '- target is ["a:1","b:1"]; use one target; for addresses that share the calls use url, for targets by priority use targets',
    ]);
  });
});

it('rejects a secret in a target without showing it', async () => {
  registerConsul();
  const { target: _, ...rest } = options;
  for (const target of ['consul://orders?token=SECRET', 'consul:///o?%74oken=SECRET', 'consul://me:SECRET@a:1/o']) {
    const faults = await faultsOf({ name: 'ECHO', options: { ...rest, target } } as GrpcLbClientItem);
    expect(faults.join()).toMatch(/has a token, a password or user info|path is empty/);
    expect(faults.join()).not.toContain('SECRET');
  }
});

describe('several targets', () => {
  const { target: _, ...rest } = options;
  const targetsFaults = (targets: unknown): Promise<string[]> =>
    faultsOf({ name: 'ECHO', options: { ...rest, targets } } as GrpcLbClientItem);

  it('are all checked', async () => {
    expect(await targetsFaults(['static:///127.0.0.1:1', 'dns://orders:1', 'nowhere:///x', 5, ''])).toEqual([
      'client ECHO: 4 options are invalid',
      '- targets[1] "dns://orders:1": path is empty; write dns:///orders:1, with three slashes',
      expect.stringMatching(/^- targets\[2\] "nowhere:\/\/\/x": scheme is "nowhere", which is unknown/),
      '- targets[3] is 5; use a non-empty string',
      '- targets[4] is ""; use a non-empty string',
    ]);
  });

  it.each([
    [[]],
    ['dns:///orders:1'],
    [{}],
    [Array.from({ length: 17 }, (_each, i) => `static:///127.0.0.1:${i + 1}`)],
  ])('must be a list of 1 to 16: %j', async (targets) => {
    expect(await targetsFaults(targets)).toEqual([
      'client ECHO: an option is invalid',
      expect.stringMatching(/^- targets is .*; use a list of 1 to 16 targets, in order of preference$/),
    ]);
  });

  it('exclude target and url', async () => {
    const both = { ...options, targets: ['static:///127.0.0.1:1'], url: 'b:1' };
    expect(await faultsOf({ name: 'ECHO', options: both })).toEqual([
      'client ECHO: 2 options are invalid',
      '- url is set together with target "127.0.0.1:1"; remove one of them',
      '- targets is set together with target "127.0.0.1:1"; remove one of them',
    ]);
  });

  it('of an override are reported as such, and other faults of the client are not', async () => {
    const overrides = { ECHO: { targets: ['a:1', 'nowhere:///x'] } };
    const item = { name: 'ECHO', options: { ...options, package: 5 } } as never;
    const { message } = await startError({
      imports: [GrpcLbModule.forRoot({ overrides }), GrpcLbModule.forFeature([item])],
    });
    expect(message.split('\n').map((line) => line.trim())).toEqual([
      'client ECHO: 2 options are invalid',
      '- package is 5; use a non-empty string',
      expect.stringMatching(/^- overrides\.ECHO\.targets\[1\] "nowhere:\/\/\/x": scheme is "nowhere"/),
    ]);
  });

  it('of overrides are checked even for unknown clients', async () => {
    const overrides = { ECHO: { target: 'a:1', targets: ['b:1'] }, OTHER: { targets: 'c:1' }, MORE: { targets: [''] } };
    const { message } = await startError({ imports: [GrpcLbModule.forRoot({ overrides } as never)] });
    expect(message.split('\n').map((line) => line.trim())).toEqual([
      'GrpcLbModule.forRoot: 3 options are invalid',
      '- overrides.ECHO.targets is set together with target "a:1"; remove one of them',
      '- overrides.OTHER.targets is "c:1"; use a list of targets, in order of preference',
      '- overrides.MORE.targets[0] is ""; use a target, as in dns:///orders:50051',
    ]);
  });
});

it.each([
  ['a class', class OrdersClient {}, 'the class OrdersClient'],
  ['an item', { name: 'ECHO' }, '{"name":"ECHO"}'],
  ['nothing', undefined, 'undefined'],
])('%s in place of the list of clients is rejected at once', (_, clients, found) => {
  expect(() => GrpcLbModule.forFeature(clients as never)).toThrow(
    `GrpcLbModule.forFeature: an option is invalid\n  - clients is ${found}; use an array, as in forFeature([OrdersClient])`,
  );
});

it.each([
  ['@LeastRequest', LeastRequest],
  ['@RoundRobin', RoundRobin],
  ['@Random', Random],
  ['@PickFirst', PickFirst],
  ['@Retry', Retry],
  ['@Hedge', Hedge],
  ['@ConnectionPool', ConnectionPool],
])('%s without parentheses is rejected at once', (name, decorator: (...args: never[]) => unknown) => {
  expect(() => decorator(class OrdersClient {} as never)).toThrow(
    expect.objectContaining({
      code: 'GRPC_LB_INVALID_OPTIONS',
      message: `class OrdersClient: an option is invalid\n  - ${name} has no parentheses; write ${name}()`,
    }),
  );
});

it.each([
  ['undefined, as a class in a circle of imports', undefined, 'is undefined (a circular import?)'],
  ['an item without a name', { options }, 'is neither a class nor an item with a name'],
  ['a text', 'ECHO', 'is neither a class nor an item with a name'],
])('an entry that is not a client is rejected at once: %s', (_, client, found) => {
  const remedy = 'list classes with @GrpcLbClient, and items with a name';
  expect(() => GrpcLbModule.forFeature([{ name: 'FINE', options }, client as never])).toThrow(
    `GrpcLbModule.forFeature: an option is invalid\n  - clients[1] ${found}; ${remedy}`,
  );
  expect(() => GrpcLbModule.forFeatureAsync([client as never])).toThrow(
    `GrpcLbModule.forFeatureAsync: an option is invalid\n  - items[0] ${found}; ${remedy}`,
  );
});

it.each(['2s', 2])('policy options that are not an object are rejected at once: %j', (wrong) => {
  expect(() => LeastRequest(wrong as never)).toThrow(
    new RegExp(`@LeastRequest: an option is invalid\\n  - options is ${JSON.stringify(wrong)}; use an object`),
  );
});
