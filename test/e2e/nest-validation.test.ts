import { Module } from '@nestjs/common';
import { Transport } from '@nestjs/microservices';
import {
  ConnectionPool,
  GrpcLbClient,
  type GrpcLbClientItem,
  GrpcLbModule,
  GrpcService,
  LeastRequest,
  PickFirst,
  Random,
  RoundRobin,
} from 'nestjs-grpc-lb';
import { describe, expect, it } from 'vitest';
import { expectNoLeaks } from '../support/leaks.js';
import { echoOptions, type EchoService, startError } from '../support/nest-app.js';

expectNoLeaks();

const options = echoOptions('127.0.0.1:1');
const echo = { ...options, service: 'Echo' };

type Client = Parameters<typeof GrpcLbModule.forFeature>[0][number];

/** The lines of the error of an application with these clients. */
async function faultsOf(...clients: Client[]): Promise<string[]> {
  const { message } = await startError({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature(clients)] });
  return message.split('\n').map((line) => line.trim());
}

describe('a client class is refused', () => {
  it('with two policies', async () => {
    @GrpcLbClient(echo)
    @LeastRequest()
    @RoundRobin()
    class EchoClient extends GrpcService<EchoService>() {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client EchoClient: an option is wrong',
      '- loadBalancing.policy is declared by @LeastRequest and @RoundRobin; keep one of them',
    ]);
  });

  it('with the same thing said by a decorator and in the options, in whatever order', async () => {
    @ConnectionPool({ size: 2 })
    @PickFirst()
    @GrpcLbClient({ ...echo, loadBalancing: { policy: 'random', pool: { size: 1 } } })
    class EchoClient extends GrpcService<EchoService>() {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client EchoClient: 2 options are wrong',
      '- loadBalancing.policy is declared by @GrpcLbClient and @PickFirst; keep one of them',
      '- loadBalancing.pool is declared by @GrpcLbClient and @ConnectionPool; keep one of them',
    ]);
  });

  it('with options of decorators that are wrong, all at once', async () => {
    @GrpcLbClient({ ...echo, service: '', package: 'ecko.v1' })
    @LeastRequest({ choiceCont: 2 } as never)
    @ConnectionPool({ size: 200 })
    class EchoClient extends GrpcService<EchoService>() {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client EchoClient: 4 options are wrong',
      '- service is ""; name the service of the proto file',
      '- loadBalancing.policy.choiceCont is not an option; did you mean "choiceCount"?',
      '- loadBalancing.pool.size is 200; use a whole number from 1 to 100',
      '- package is "ecko.v1", which the proto files do not define; did you mean "echo.v1"?; they define echo.v1',
    ]);
  });

  it('with a service that the package does not have', async () => {
    @GrpcLbClient({ ...echo, name: 'ECHO', service: 'Ecko' })
    class EchoClient extends GrpcService<EchoService>() {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client ECHO: an option is wrong',
      '- service is "Ecko", which package echo.v1 does not have; did you mean "Echo"?; it has Echo, Mirror',
    ]);
  });

  it('without @GrpcLbClient', async () => {
    class EchoClient extends GrpcService<EchoService>() {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client EchoClient: an option is wrong',
      '- @GrpcLbClient is missing on the class; decorate it with @GrpcLbClient({ package, service, protoPath, target })',
    ]);
  });

  it('that does not extend GrpcService<T>()', async () => {
    @GrpcLbClient(echo)
    class EchoClient {}
    expect(await faultsOf(EchoClient)).toEqual([
      'client EchoClient: an option is wrong',
      '- @GrpcLbClient is on a class without methods to call; let it extend GrpcService<T>()',
    ]);
  });

  it('and not before the application starts: decorators and modules may be evaluated', () => {
    @GrpcLbClient({ service: 5, nonsense: true } as never)
    @LeastRequest({ choiceCount: -1 })
    class EchoClient extends GrpcService<EchoService>() {}
    @Module({ imports: [GrpcLbModule.forFeature([EchoClient])] })
    class Feature {}
    expect(Feature.name).toBe('Feature');
  });
});

describe('a named client is refused', () => {
  it('with options beside its options', async () => {
    expect(await faultsOf({ name: 'ECHO', url: 'x', options } as GrpcLbClientItem)).toEqual([
      'client ECHO: an option is wrong',
      '- url is not an option of a client; those belong into options',
    ]);
  });

  it('with another transport, of which nothing else is said', async () => {
    const item = { name: 'ECHO', transport: Transport.TCP, options: { host: 'x', port: 1 } as object };
    expect(await faultsOf(item as GrpcLbClientItem)).toEqual([
      'client ECHO: an option is wrong',
      '- transport is TCP; only gRPC is balanced, this item stays with ClientsModule',
    ]);
  });

  it('with its options beside the name, of which the consequences are not told', async () => {
    const item = { name: 'ECHO', package: 'echo.v1', url: 'x' } as object;
    expect(await faultsOf(item as GrpcLbClientItem)).toEqual([
      'client ECHO: an option is wrong',
      '- options is missing; package, url belong into it, as in { name, options: { ... } }',
    ]);
  });

  it('without options', async () => {
    expect(await faultsOf({ name: 'ECHO' } as GrpcLbClientItem)).toEqual([
      'client ECHO: 3 options are wrong',
      '- package is missing; name the package of the proto file, as in orders.v1',
      '- target is missing; say where the endpoints are, as in dns:///orders:50051',
      '- protoPath is missing; give either protoPath (a proto file) or packageDefinition',
    ]);
  });
});

it.each([
  ['a class', class OrdersClient {}, 'the class OrdersClient'],
  ['an item', { name: 'ECHO' }, '{"name":"ECHO"}'],
  ['nothing', undefined, 'undefined'],
])('%s in place of the list of clients is refused at once', (_, clients, found) => {
  expect(() => GrpcLbModule.forFeature(clients as never)).toThrow(
    `GrpcLbModule.forFeature: an option is wrong\n  - clients is ${found}; use an array, as in forFeature([OrdersClient])`,
  );
});

it.each([
  ['@LeastRequest', LeastRequest],
  ['@RoundRobin', RoundRobin],
  ['@Random', Random],
  ['@PickFirst', PickFirst],
])('%s without parentheses is refused at once', (name, decorator: (target?: never) => unknown) => {
  expect(() => decorator(class OrdersClient {} as never)).toThrow(new TypeError(`write ${name}()`));
});

it.each([
  ['undefined, as a class in a circle of imports', undefined, 'is undefined (is there a circle of imports?)'],
  ['an item without a name', { options }, 'is no class and has no name'],
  ['a text', 'ECHO', 'is no class and has no name'],
])('what is no client at all is refused at once: %s', (_, client, found) => {
  const remedy = 'list classes with @GrpcLbClient, and items with a name';
  expect(() => GrpcLbModule.forFeature([{ name: 'FINE', options }, client as never])).toThrow(
    `GrpcLbModule.forFeature: an option is wrong\n  - clients[1] ${found}; ${remedy}`,
  );
  expect(() => GrpcLbModule.forFeatureAsync([client as never])).toThrow(
    `GrpcLbModule.forFeatureAsync: an option is wrong\n  - items[0] ${found}; ${remedy}`,
  );
});
