import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, Metadata, ServerCredentials } from '@grpc/grpc-js';
import { Inject, Injectable, type Type } from '@nestjs/common';
import { Transport } from '@nestjs/microservices';
import { GrpcLbClient, GrpcLbModule, GrpcLbRegistry, GrpcService, LeastRequest, RoundRobin } from 'nestjs-grpc-lb';
import { grpcLbConfig } from 'nestjs-grpc-lb/config';
import { GrpcLbConsoleModule } from 'nestjs-grpc-lb/console';
import { onTestFinished, vi } from 'vitest';
import { makeCertificate } from '../../support/peers/certificates.js';
import { startApp } from '../../support/nest/app.js';
import { closeWithTest } from '../../support/run/close-with-test.js';
import {
  app,
  callFailure,
  item,
  type Loose,
  type Orders,
  ordersClient,
  RIGHT,
  served,
  startFailure,
  warned,
} from './seen.js';

export interface Mistake {
  /** As the page calls it. */
  readonly title: string;
  /** Parts of the message: who is concerned, the value found, what to do. */
  readonly names: readonly [subject: string, value: string, remedy: string];
  /** Makes it. Returns what the user sees. */
  readonly make: () => Promise<string>;
}

const OF_ITEM = 'client ORDERS: ';
const OF_CLASS = 'client OrdersClient: ';

const options = (more: Loose) => (): Promise<string> => startFailure(() => item(more));
const balancing = (loadBalancing: unknown) => options({ loadBalancing });
const ofClass = (more: Loose) => (): Promise<string> => startFailure(() => app([ordersClient(more)]));

function protoOf(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'first-day-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'orders.proto'), text);
  return join(directory, 'orders.proto');
}

async function tlsTarget(...names: string[]): Promise<[target: string, ca: Buffer]> {
  const { key, cert } = makeCertificate(names);
  const pair = [{ private_key: key, cert_chain: cert }];
  return [await served(ServerCredentials.createSsl(null, pair)), cert];
}

const inModule: readonly Mistake[] = [
  {
    title: '`forFeature` without `forRoot`',
    names: [OF_CLASS, 'GrpcLbModule.forRoot() is missing', 'add it to the imports of the root module'],
    make: () => startFailure(() => ({ imports: [GrpcLbModule.forFeature([ordersClient()])] })),
  },
  {
    title: '`forRoot` twice',
    names: ['GrpcLbModule: ', 'forRoot() is imported more than once', 'keep the import in the root module'],
    make: () => startFailure(() => ({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forRoot()] })),
  },
  {
    title: 'the console, metrics or traces without `GrpcLbModule.forRoot()`',
    names: ['GrpcLbConsoleModule: ', 'GrpcLbModule.forRoot() is missing', 'add it to the imports of the root module'],
    make: () => startFailure(() => ({ imports: [GrpcLbConsoleModule.forRoot()] })),
  },
  {
    title: 'one of these modules without `forRoot()`',
    names: ['GrpcLbConsoleModule: ', 'forRoot() is missing', 'write GrpcLbConsoleModule.forRoot() in place of'],
    make: () => startFailure(() => ({ imports: [GrpcLbModule.forRoot(), GrpcLbConsoleModule] })),
  },
  {
    title: 'an injected class that no `forFeature` lists',
    names: [
      'Checkout',
      'the argument OrdersClient at index [0]',
      'imports: [ /* the Module containing OrdersClient */ ]',
    ],
    make: () =>
      startFailure(() => {
        @Injectable()
        class Checkout {
          constructor(@Inject(ordersClient()) readonly orders: unknown) {}
        }
        return { imports: [GrpcLbModule.forRoot()], providers: [Checkout] };
      }),
  },
  {
    title: 'a client class among the `providers`',
    names: [
      'OrdersClient',
      'client of nestjs-grpc-lb',
      'list the class in GrpcLbModule.forFeature([...]), not in providers',
    ],
    make: () => startFailure(() => ({ imports: [GrpcLbModule.forRoot()], providers: [ordersClient()] })),
  },
  {
    title: 'a class without `@GrpcLbClient`',
    names: [OF_CLASS, '@GrpcLbClient is missing on the class', 'decorate the class with @GrpcLbClient({'],
    make: () =>
      startFailure(() => {
        class OrdersClient extends GrpcService<Orders>() {}
        return app([OrdersClient]);
      }),
  },
  {
    title: 'a class that does not extend `GrpcService`',
    names: [OF_CLASS, '@GrpcLbClient is on a class without methods to call', 'extend GrpcService<T>()'],
    make: () =>
      startFailure(() => {
        @GrpcLbClient({ ...RIGHT, service: 'Orders' })
        class OrdersClient {}
        return app([OrdersClient]);
      }),
  },
  {
    title: '`forFeature(OrdersClient)` without brackets',
    names: [
      'GrpcLbModule.forFeature: ',
      'clients is the class OrdersClient',
      'use an array, as in forFeature([OrdersClient])',
    ],
    make: () => startFailure(() => app(ordersClient())),
  },
  {
    title: 'files that import each other',
    names: [
      'GrpcLbModule.forFeature: ',
      'clients[0] is undefined (a circular import?)',
      'list classes with @GrpcLbClient',
    ],
    make: () => startFailure(() => app([undefined])),
  },
  {
    title: 'two policies on one class',
    names: [OF_CLASS, 'loadBalancing.policy is declared by @LeastRequest and @RoundRobin', 'keep one'],
    make: () =>
      startFailure(() => {
        const OrdersClient = ordersClient();
        RoundRobin()(OrdersClient);
        LeastRequest()(OrdersClient);
        return app([OrdersClient]);
      }),
  },
  {
    title: 'a decorator without parentheses',
    names: ['class OrdersClient: ', '@RoundRobin has no parentheses', 'write @RoundRobin()'],
    make: () =>
      startFailure(() => {
        const OrdersClient = ordersClient();
        (RoundRobin as unknown as (target: Type) => void)(OrdersClient);
        return app([OrdersClient]);
      }),
  },
  {
    title: 'two items with one name',
    names: ['GrpcLbModule.forFeature: ', 'clients[1].name is "ORDERS", the same as clients[0]', 'rename one of them'],
    make: () =>
      startFailure(() =>
        app([
          { name: 'ORDERS', options: RIGHT },
          { name: 'ORDERS', options: { ...RIGHT } },
        ]),
      ),
  },
  {
    title: 'two modules that declare one client differently',
    names: [OF_ITEM, 'name is declared twice, with different target', 'rename one of the clients, or use one item'],
    make: () =>
      startFailure(() => ({
        imports: ['a:1', 'b:1'].flatMap((target) => item({ target }).imports!.slice(target === 'a:1' ? 0 : 1)),
      })),
  },
  {
    title: 'an item of `ClientsModule` in the decorator',
    names: [OF_CLASS, '@GrpcLbClient has { transport, options }', 'write the options alone, as in {'],
    make: ofClass({ transport: Transport.GRPC, options: { url: 'orders:50051' } }),
  },
  {
    title: 'an item without `options`',
    names: [OF_ITEM, 'options is missing', 'move package, protoPath, target to options'],
    make: () => startFailure(() => app([{ name: 'ORDERS', ...RIGHT }])),
  },
  {
    title: 'an item of another transport',
    names: [OF_ITEM, 'transport is TCP', 'keep this item in ClientsModule'],
    make: () => startFailure(() => app([{ name: 'ORDERS', transport: Transport.TCP, options: {} }])),
  },
  {
    title: 'the options of a server, without a `url`',
    names: [OF_ITEM, 'target is missing', 'set where the endpoints are, as in dns:///orders:50051'],
    make: options({ target: undefined, gracefulShutdown: true }),
  },
  {
    title: 'a factory that returns something else',
    names: [OF_ITEM, 'useFactory returns "orders:50051"', 'as in { url, package, protoPath }'],
    make: () =>
      startFailure(() => ({
        imports: [
          GrpcLbModule.forRoot(),
          GrpcLbModule.forFeatureAsync({ name: 'ORDERS', useFactory: () => 'orders:50051' as unknown as object }),
        ],
      })),
  },
  {
    title: 'constructors without their types',
    names: [OF_CLASS, 'Nest does not know the types of the constructor of Checkout', 'write @Inject(OrdersClient)'],
    make: () =>
      warned(() => {
        // As esbuild writes it.
        class Checkout {
          constructor(readonly orders: unknown) {}
        }
        Injectable()(Checkout);
        return { ...app([ordersClient()]), providers: [Checkout] };
      }),
  },
];

const inTargets: readonly Mistake[] = [
  {
    title: '`http://` in the target',
    names: [
      OF_ITEM,
      'target "http://orders:50051": scheme is "http"',
      'write dns:///host:port in place of http://host:port',
    ],
    make: options({ target: 'http://orders:50051' }),
  },
  {
    title: 'a scheme of grpc-js',
    names: [OF_ITEM, 'target "ipv4:10.0.0.1:50051": scheme is "ipv4"', 'write static:///host:port,host:port'],
    make: options({ target: 'ipv4:10.0.0.1:50051' }),
  },
  {
    title: 'two slashes in place of three',
    names: [OF_ITEM, 'target "dns://orders:50051": path is empty', 'write dns:///orders:50051, with three slashes'],
    make: options({ target: 'dns://orders:50051' }),
  },
  {
    title: 'a port that is not a number',
    names: [OF_ITEM, 'target "orders:5O051": address has the port "5O051"', 'use a whole number from 1 to 65535'],
    make: options({ target: 'orders:5O051' }),
  },
  {
    title: 'several addresses without `static:///`',
    names: [OF_ITEM, 'target "a:50051,b:50051": address is', 'write static:///a:50051,b:50051'],
    make: options({ target: 'a:50051,b:50051' }),
  },
  {
    title: 'a target from a variable that is not set',
    names: [OF_ITEM, 'target "undefined:50051": address is', 'a variable that it is made of is not set'],
    make: options({ target: `${process.env['NO_SUCH_VARIABLE']}:50051` }),
  },
  {
    title: 'no port',
    names: [OF_ITEM, '"dns:///orders" has no port, so it is 443', 'add the port, as in "dns:///orders:50051"'],
    make: () => warned(() => item({ target: 'dns:///orders' }, { connect: 'lazy' })),
  },
  {
    title: 'the address that the server listens on',
    names: [OF_ITEM, '"0.0.0.0:50051" is an address to listen on', 'write where the backends are'],
    make: () => warned(() => item({ target: undefined, url: '0.0.0.0:50051' }, { connect: 'lazy' })),
  },
  {
    title: 'a scheme that is not registered',
    names: [OF_ITEM, 'scheme is "kubernetes", which is not registered', 'then call registerKubernetes()'],
    make: options({ target: 'kubernetes:///orders' }),
  },
  {
    title: '`target` and `url`',
    names: [OF_ITEM, 'url is set together with target', 'remove one of them'],
    make: options({ url: 'orders:50051' }),
  },
];

const inProtos: readonly Mistake[] = [
  {
    title: 'no proto file',
    names: [OF_ITEM, 'protoPath is missing', 'set one of protoPath (a proto file), packageDefinition, and definition'],
    make: options({ protoPath: undefined }),
  },
  {
    title: 'a relative path from another directory',
    names: [
      OF_ITEM,
      "ENOENT: no such file or directory, open 'orders.proto'",
      `the working directory, ${process.cwd()}`,
    ],
    make: options({ protoPath: 'orders.proto' }),
  },
  {
    title: 'a proto file that the build did not copy',
    names: [OF_ITEM, "open '/app/dist/orders.proto'", 'that the build copies proto files (assets in nest-cli.json)'],
    make: options({ protoPath: '/app/dist/orders.proto' }),
  },
  {
    title: 'an import of the proto file that is not found',
    names: [OF_ITEM, 'common/money.proto', 'loader.includeDirs, which is []'],
    make: () => {
      const text = 'syntax = "proto3";\npackage orders.v1;\nimport "common/money.proto";\nservice Orders {}\n';
      return options({ protoPath: protoOf(text) })();
    },
  },
  {
    title: 'a fault in the proto file',
    names: [OF_ITEM, 'no such type: Ordr', 'check the file'],
    make: () => {
      const text = 'syntax = "proto3";\npackage orders.v1;\nservice Orders { rpc Find(Ordr) returns (Ordr); }\n';
      return options({ protoPath: protoOf(text) })();
    },
  },
  {
    title: 'the package misspelt',
    names: [OF_ITEM, 'package is "order.v1", which the proto files do not define', 'they define orders.v1'],
    make: options({ package: 'order.v1' }),
  },
  {
    title: 'the service misspelt',
    names: [OF_CLASS, 'service is "Order", which package orders.v1 does not have', 'did you mean "Orders"?'],
    make: ofClass({ service: 'Order' }),
  },
  {
    title: 'the service with its package',
    names: [OF_CLASS, 'service is "orders.v1.Orders", which package orders.v1 does not have', 'it has Orders'],
    make: ofClass({ service: 'orders.v1.Orders' }),
  },
  {
    title: 'a loader that is not installed',
    names: [OF_ITEM, "Cannot find module 'no-such-loader'", 'install "no-such-loader", or remove the option'],
    make: options({ protoLoader: 'no-such-loader' }),
  },
];

const inOptions: readonly Mistake[] = [
  {
    title: 'the policy misspelt',
    names: [OF_ITEM, 'loadBalancing.policy is "least_requests"', 'did you mean "least_request"?'],
    make: balancing({ policy: 'least_requests' }),
  },
  {
    title: 'an option misspelt',
    names: [OF_ITEM, 'loadBalancing.pool.maxsize is not an option', 'did you mean "maxSize"?'],
    make: balancing({ pool: { maxsize: 2 } }),
  },
  {
    title: 'an option one level too high',
    names: [OF_ITEM, 'policy is not an option here', 'move it to loadBalancing'],
    make: options({ policy: 'round_robin' }),
  },
  {
    title: 'a number as a text',
    names: [OF_ITEM, 'loadBalancing.pool.size is "2"', 'use a whole number from 1 to 100'],
    make: balancing({ pool: { size: '2' } }),
  },
  {
    title: 'a time as a text',
    names: [OF_ITEM, 'loadBalancing.deadline is "5s"', 'use { timeout: 5000 }, in milliseconds'],
    make: balancing({ deadline: '5s' }),
  },
  {
    title: 'a method misspelt in the options',
    names: [
      OF_ITEM,
      "loadBalancing.retry.methods.Fnd is not a method of the client's services",
      'did you mean "Find"?',
    ],
    make: balancing({ retry: { methods: { Fnd: {} } } }),
  },
  {
    title: 'credentials of another grpc-js, or none',
    names: [OF_ITEM, 'credentials are not ChannelCredentials', 'create them with credentials.createSsl()'],
    make: options({ credentials: true }),
  },
  {
    title: 'a certificate file that is not there',
    names: [OF_ITEM, 'tls.ca /etc/no-such/ca.pem cannot be read: ENOENT', 'check the path'],
    make: options({ tls: { ca: '/etc/no-such/ca.pem' } }),
  },
  {
    title: 'variables that nothing reads',
    names: ['GRPC_LB_ORDERS_TARGET', 'of the environment has no effect', 'grpcLbConfig of nestjs-grpc-lb/config'],
    make: () => {
      vi.stubEnv('GRPC_LB_ORDERS_TARGET', 'orders:50051');
      onTestFinished(() => void vi.unstubAllEnvs());
      return warned(() => item({}, { connect: 'lazy' }));
    },
  },
  {
    title: 'a variable misspelt',
    names: ['environment: ', 'GRPC_LB_ORDERS_TRAGET', 'did you mean "TARGET"?'],
    make: () => {
      vi.stubEnv('GRPC_LB_ORDERS_TRAGET', 'orders:50051');
      onTestFinished(() => void vi.unstubAllEnvs());
      return startFailure(() => ({ imports: [GrpcLbModule.forRoot(grpcLbConfig())] }));
    },
  },
  {
    title: 'a client misspelt in `registry.get`',
    names: ['GrpcLbRegistry: ', 'client is "ORDRES", which is not declared', 'did you mean "ORDERS"?'],
    make: async () => {
      const started = await startApp(item({}, { connect: 'lazy' }));
      try {
        started.get(GrpcLbRegistry).get('ORDRES');
      } catch (error) {
        return (error as Error).message;
      }
      return 'nothing';
    },
  },
];

/** Of a call that waits until its deadline. */
const WAITING = new Metadata({ waitForReady: true });

const inCalls: readonly Mistake[] = [
  {
    title: 'nothing listens on the port',
    names: [OF_ITEM, 'connect ECONNREFUSED 127.0.0.1:1', 'check that the server runs, and the port of the target'],
    make: () => callFailure({ target: 'static:///127.0.0.1:1' }),
  },
  {
    title: 'a name that does not resolve',
    names: [OF_ITEM, 'getaddrinfo ENOTFOUND orders.invalid', 'check the host name, and that DNS resolves it'],
    make: () => callFailure({ target: 'orders.invalid:50051' }),
  },
  {
    title: 'a client with TLS, a server without',
    names: [OF_ITEM, 'the client uses TLS, but the peer does not', 'enable TLS at the peer, or correct the port'],
    make: async () => callFailure({ target: await served(), credentials: credentials.createSsl() }),
  },
  {
    title: 'a server with TLS, a client without',
    names: [OF_ITEM, 'the peer closed the connection before HTTP/2 started', 'tls: {}'],
    make: async () => callFailure({ target: (await tlsTarget('127.0.0.1'))[0] }),
  },
  {
    title: 'a certificate for another name',
    names: [OF_ITEM, 'the certificate of the peer is for other names', 'set tls.serverName'],
    make: async () => {
      const [target, ca] = await tlsTarget('prices');
      return callFailure({ target, tls: { ca } });
    },
  },
  {
    title: 'a certificate of an unknown authority',
    names: [OF_ITEM, 'is of a CA that this client does not trust', 'add that CA to tls.ca'],
    make: async () => callFailure({ target: (await tlsTarget('127.0.0.1'))[0], tls: {} }),
  },
  {
    title: 'the port of an HTTP server',
    names: [OF_ITEM, 'the peer does not speak HTTP/2', 'check that the port is the gRPC port'],
    make: async () => {
      const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
      closeWithTest(() => server.close());
      await once(server, 'listening');
      return callFailure({ target: `static:///127.0.0.1:${(server.address() as AddressInfo).port}` });
    },
  },
  {
    title: 'a server without the service',
    names: [
      'client ORDERS: ',
      'The server does not implement the method /orders.v1.Orders/Find',
      'check the address, and its package',
    ],
    make: async () => callFailure({ target: await served(undefined, 'none') }),
  },
  {
    title: 'seconds in place of milliseconds',
    names: ['client ORDERS: ', 'Deadline exceeded after 0.0', 'times are in milliseconds'],
    make: () => callFailure({ target: 'static:///127.0.0.1:1' }, [{ id: '7' }, WAITING, { timeout: 5 }]),
  },
  {
    title: 'a deadline in milliseconds from now',
    names: [
      'client ORDERS, Orders/Find: ',
      'options.deadline is 5000, a point in time in 1970',
      'pass { timeout: 5000 }',
    ],
    make: () => callFailure({}, [{ id: '7' }, { deadline: 5000 }]),
  },
  {
    title: 'a timeout as a text',
    names: [
      'client ORDERS, Orders/Find: ',
      'options.timeout is "5s"',
      'pass a number from 1 to 2147483647 (milliseconds)',
    ],
    make: () => callFailure({}, [{ id: '7' }, { timeout: '5s' }]),
  },
  {
    title: 'headers as an object',
    names: ['client ORDERS, Orders/Find: ', 'metadata is another object', 'pass headers among the options'],
    make: () => callFailure({}, [{ id: '7' }, { authorization: 'x' }, { timeout: 5000 }]),
  },
  {
    title: 'headers among the options',
    names: [
      'client ORDERS, Orders/Find: ',
      'options.authorization is not an option of calls',
      'headers go into options.metadata',
    ],
    make: () => callFailure({}, [{ id: '7' }, { authorization: 'x' }]),
  },
  {
    title: 'one request for a method that takes a stream',
    names: ['client ORDERS, Orders/Place: ', 'request is another object', 'pass an Observable or an (async) iterable'],
    make: () => callFailure({}, [{ id: '7' }], 'place'),
  },
];

/** Mistakes of the first day, in the order of the page. */
export const MISTAKES: ReadonlyMap<string, readonly Mistake[]> = new Map([
  ['Modules and classes', inModule],
  ['Targets', inTargets],
  ['Proto files', inProtos],
  ['Options and environment', inOptions],
  ['Calls', inCalls],
]);
