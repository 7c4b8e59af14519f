import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import {
  Adaptive,
  type ClientSnapshot,
  ConnectionPool,
  connectionPool,
  Deadline,
  deadline,
  type EffectiveLoadBalancing,
  type EsRequest,
  type EsResponse,
  type FailureStatus,
  type GrpcLbClientOptions,
  type GrpcLbMethod,
  GrpcLbModule,
  type GrpcLbPromiseMethod,
  type GrpcLbRegistry,
  type GrpcLbResponse,
  type GrpcLbStreamMethod,
  GrpcPromiseService,
  GrpcService,
  HealthCheck,
  healthCheck,
  Hedge,
  hedge,
  type HedgeOptions,
  type HedgePolicyOptions,
  type HedgeQuantile,
  HotCold,
  InjectGrpcLbClient,
  InjectGrpcService,
  type LbEvent,
  LeastRequest,
  leastRequest,
  type LoadBalancingOptions,
  Locality,
  locality,
  OutlierEjection,
  outlierEjection,
  PeakEwma,
  promises,
  type PromiseServiceClient,
  type PromiseServiceOf,
  type PromisesOf,
  type RequestStream,
  type ResponseClient,
  responses,
  Resumable,
  resumable,
  iterate,
  Retry,
  retry,
  type RetryOptions,
  type ServiceClient,
  type ServiceOf,
  SlowStart,
  slowStart,
  Subset,
  subset,
} from 'nestjs-grpc-lb';
import { grpcLbConfig } from 'nestjs-grpc-lb/config';
import { mockClient, type MockedClient } from 'nestjs-grpc-lb/testing';
import type { Observable } from 'rxjs';
import { expectTypeOf } from 'vitest';
import type * as Types from './definitions.js';
import { EsOrders, OrdersDefinition, OrdersService } from './definitions.js';
import { type Item, type Order, type Orders, OrdersClient } from './orders.js';

class Client2 extends GrpcService(OrdersService) {}

/** What is right compiles: never run, `npm run typecheck` is the test. What is wrong is in misuse/. */
export const usage = {
  'a client over generated code': {
    'has the types of a definition of grpc-js': () => {
      class Client extends GrpcService(OrdersService) {}
      const find = (client: Client) => client.find({ id: '1', userId: '', since: undefined }, { timeout: 5 });
      expectTypeOf(find).returns.toEqualTypeOf<Observable<Types.Order>>();
      expectTypeOf<Client['find']>().toEqualTypeOf<GrpcLbMethod<Types.FindRequest, Types.Order>>();
      expectTypeOf<Client['bargain']>().parameter(0).toEqualTypeOf<RequestStream<Types.Order>>();
    },
    'has those of a generic definition, whose requests may be partial': () => {
      class Client extends GrpcService(OrdersDefinition) {}
      const client = {} as Client;
      expectTypeOf(client.find({})).toEqualTypeOf<Observable<Types.Order>>();
      client.find({ since: new Date() });
      const whole: Types.FindRequest = { id: '1', userId: '', since: undefined };
      client.find(whole);
      client.bargain([{ id: '1' }]);
      // A handler gets the whole message.
      mockClient(Client, {
        find: (request) => {
          expectTypeOf(request).toEqualTypeOf<Types.FindRequest>();
          return { id: request.id };
        },
        bargain: (requests) => {
          expectTypeOf(requests).toEqualTypeOf<AsyncIterable<Types.Order>>();
          return [];
        },
      });
    },
    'has those of @bufbuild/protobuf: what create() takes, and messages': () => {
      class Client extends GrpcService(EsOrders) {}
      const client = {} as Client;
      expectTypeOf(client.find({ id: '1' })).toEqualTypeOf<Observable<Types.EsOrder>>();
      client.find({ items: [{ sku: 'a' }], named: { a: { sku: 'a' } }, first: { sku: 'a' } });
      client.find({ payment: { case: 'item', value: { sku: 'a' } } });
      client.find({} as Types.EsOrder);
      expectTypeOf<EsRequest<typeof Types.EsOrderSchema>>().toEqualTypeOf<
        MessageInitShape<typeof Types.EsOrderSchema>
      >();
      expectTypeOf<EsResponse<typeof Types.EsOrderSchema>>().toEqualTypeOf<MessageShape<typeof Types.EsOrderSchema>>();
      mockClient(Client, {
        find: (request) => {
          expectTypeOf(request).toEqualTypeOf<Types.EsOrder>();
          return { id: request.id };
        },
      });
    },
    'resumes with the types of its definition': () => {
      @Resumable<ServiceOf<typeof EsOrders>, string>({
        method: 'find',
        token: (order) => order.id,
        resume: (request, id) => ({ ...request, id }),
      })
      class Client extends GrpcService(EsOrders) {}
      return Client;
    },
    'has the interface that is named, and other services by their definitions': () => {
      class Client extends GrpcService<Orders>(OrdersService) {}
      expectTypeOf<Client['watch']>().returns.toEqualTypeOf<Observable<Order>>();
      GrpcLbModule.forFeature([
        { name: 'SHOP', options: { target: 'dns:///shop', definition: [OrdersService, EsOrders, OrdersDefinition] } },
      ]);
      const service: ServiceClient<ServiceOf<typeof OrdersService>> = {} as Client2;
      return service;
    },
  },
  'a resumable method': {
    'has the types of the method, and of the token': () => {
      interface Feed {
        watch(request: { topic: string; after?: string }): Observable<{ revision: string; text: string }>;
        find(request: { id: string }): Observable<{ id: string }>;
      }
      const watch = (feed: ServiceClient<Feed>) => iterate(feed.watch({ topic: 'a' }));
      expectTypeOf(watch).returns.toEqualTypeOf<AsyncIterableIterator<{ revision: string; text: string }>>();
      @Resumable<Feed, string>({
        method: 'watch',
        token: (change) => (change.text === '' ? undefined : change.revision),
        resume: (request, token) => ({ ...request, after: token }),
        bookmark: ({ text }) => text === '',
        dedupe: ({ text }) => text,
        onGap: async ({ token, request, error }) => {
          expectTypeOf(token).toEqualTypeOf<string>();
          expectTypeOf(error.code).toBeNumber();
          return request;
        },
        handover: { timeout: 1000 },
      })
      class FeedClient extends GrpcService<Feed>() {}
      // Without types, whatever the functions take.
      const token = (change: { revision: string }): string => change.revision;
      const item = resumable({ method: 'watch', token, resume: (request: object) => request });
      return [FeedClient, item];
    },
  },
  'a resumable bidirectional method': {
    'says which requests are replayed; its functions have the types of single requests': () => {
      interface Chat {
        talk(lines: Observable<{ id: string; after?: string }>): Observable<{ revision: string; acks: string[] }>;
      }
      return resumable<Chat, string>({
        method: 'talk',
        token: ({ revision }) => revision,
        resume: (first, token) => {
          expectTypeOf(first).toEqualTypeOf<{ id: string; after?: string }>();
          return token === '' ? undefined : { ...first, after: token };
        },
        replay: { key: ({ id }) => id, acknowledged: ({ acks }) => acks, cumulative: true, maxPending: 10 },
      });
    },
  },
  'a client class': {
    'has the methods of its service, with metadata and call options': () => {
      expectTypeOf<OrdersClient['find']>().toEqualTypeOf<GrpcLbMethod<{ id: string }, Order>>();
      expectTypeOf<OrdersClient['place']>().toEqualTypeOf<GrpcLbMethod<Observable<Item>, Order>>();
      expectTypeOf<keyof OrdersClient>().toEqualTypeOf<keyof Orders>();
      const calls = (orders: OrdersClient, metadata: Metadata, signal: AbortSignal): Observable<Order>[] => [
        orders.find({ id: '1' }),
        orders.find({ id: '1' }, metadata),
        orders.find({ id: '1' }, { timeout: 1000, signal }),
        orders.find({ id: '1' }, metadata, { deadline: new Date() }),
        orders.find({ id: '1' }, undefined, { deadline: 5 }),
        orders.watch({}),
      ];
      expectTypeOf(calls).returns.items.toEqualTypeOf<Observable<Order>>();
    },

    'takes streams of requests from any source': () => {
      const calls = (
        orders: OrdersClient,
        source: Observable<Item>,
        later: AsyncIterable<Item>,
      ): Observable<Order>[] => [
        orders.place(source),
        orders.place(later),
        orders.place([{ sku: 'a' }]),
        orders.place(new Set([{ sku: 'a' }]), new Metadata()),
        orders.bargain(source, { timeout: 5 }),
        orders.bargain(later, new Metadata(), { timeout: 5 }),
      ];
      expectTypeOf(calls).toBeFunction();
      expectTypeOf<RequestStream<Item>>().toEqualTypeOf<Observable<Item> | AsyncIterable<Item> | Iterable<Item>>();
    },

    'may override a method as a property, and have methods and dependencies of its own': () => {
      class Cached extends GrpcService<Orders>() {
        override readonly find: GrpcLbMethod<{ id: string }, Order> = (request: { id: string }) =>
          super.find(request, { timeout: 1000 });

        constructor(private readonly prefix: string) {
          super();
        }

        findOwn(id: string): Observable<Order> {
          return this.find({ id: this.prefix + id });
        }
      }
      expectTypeOf<Cached['findOwn']>().returns.toEqualTypeOf<Observable<Order>>();
    },

    'may come from what ts-proto generates for Nest': () => {
      interface Generated {
        find(request: { id: string }, metadata?: Metadata, ...rest: unknown[]): Observable<Order>;
        place(items: Observable<Item>, metadata?: Metadata): Observable<Order>;
      }
      class Client extends GrpcService<Generated>() {}
      expectTypeOf<Client['find']>().toEqualTypeOf<GrpcLbMethod<{ id: string }, Order>>();
      expectTypeOf<Client['place']>().toEqualTypeOf<GrpcLbMethod<Observable<Item>, Order>>();
      expectTypeOf<ServiceClient<Generated>>().toHaveProperty('find');
    },

    'is what the stub of its service is, so that either can stand for the other': () => {
      expectTypeOf<OrdersClient>().toExtend<ServiceClient<Orders>>();
      expectTypeOf<Pick<OrdersClient, 'find'>>().toExtend<Pick<Orders, 'find'>>();
    },
  },

  'calls as Promises': {
    'have the types of the methods; streams are named, or come from the interface': () => {
      class PromisedOrders extends GrpcPromiseService<PromisesOf<Orders, 'watch' | 'bargain'>>() {}
      expectTypeOf<PromisedOrders['find']>().toEqualTypeOf<GrpcLbPromiseMethod<{ id: string }, Order>>();
      expectTypeOf<keyof PromisedOrders>().toEqualTypeOf<keyof Orders>();
      interface Generated {
        find(request: { id: string }): Promise<Order>;
        watch(request: { since?: Date }): AsyncIterable<Order>;
        place(items: AsyncIterable<Item>): Promise<Order>;
        bargain(items: AsyncIterable<Item>): AsyncIterable<Order>;
      }
      class GeneratedOrders extends GrpcPromiseService<Generated>() {}
      const calls = async (
        orders: PromisedOrders | GeneratedOrders,
        items: AsyncIterable<Item>,
        metadata: Metadata,
      ): Promise<Order[]> => {
        const found: Order[] = [await orders.find({ id: '1' }, metadata, { timeout: 5 }), await orders.place(items)];
        for await (const order of orders.watch({}, { timeout: 5 })) found.push(order);
        for await (const order of orders.bargain([{ sku: 'a' }], metadata)) found.push(order);
        return found;
      };
      expectTypeOf(calls).toBeFunction();
    },

    'have the types of a definition, which knows what streams': () => {
      class GrpcJs extends GrpcPromiseService(OrdersService) {}
      expectTypeOf<GrpcJs['find']>().toEqualTypeOf<GrpcLbPromiseMethod<Types.FindRequest, Types.Order>>();
      expectTypeOf<GrpcJs['watch']>().toEqualTypeOf<GrpcLbStreamMethod<Types.FindRequest, Types.Order>>();
      expectTypeOf<keyof GrpcJs>().toEqualTypeOf<'bargain' | 'find' | 'place' | 'watch'>();
      expectTypeOf<keyof ResponseClient<GrpcJs>>().toEqualTypeOf<'find' | 'place'>();
      class Generic extends GrpcPromiseService(OrdersDefinition) {}
      class Es extends GrpcPromiseService(EsOrders) {}
      const calls = async (js: GrpcJs, generic: Generic, es: Es, items: AsyncIterable<Types.Order>) => {
        expectTypeOf(await js.place(items, { timeout: 5 })).toEqualTypeOf<Types.Order>();
        for await (const order of js.bargain(items, new Metadata())) expectTypeOf(order).toEqualTypeOf<Types.Order>();
        expectTypeOf(await generic.find({})).toEqualTypeOf<Types.Order>();
        expectTypeOf(await generic.place([{ id: '1' }])).toEqualTypeOf<Types.Order>();
        for await (const order of generic.watch({ id: '1' })) expectTypeOf(order).toEqualTypeOf<Types.Order>();
        expectTypeOf(await es.find({ first: { sku: 'a' } })).toEqualTypeOf<Types.EsOrder>();
        expectTypeOf(await es.place([{ id: '1' }])).toEqualTypeOf<Types.EsOrder>();
        for await (const order of es.watch({})) expectTypeOf(order).toEqualTypeOf<Types.EsOrder>();
        for await (const order of es.bargain([{ id: '1' }])) expectTypeOf(order).toEqualTypeOf<Types.EsOrder>();
      };
      expectTypeOf(calls).toBeFunction();
      mockClient(Generic, {
        find: (request) => {
          expectTypeOf(request).toEqualTypeOf<Types.FindRequest>();
          return { id: request.id };
        },
        watch: ({ id }) => [{ id }],
        place: (orders) => {
          expectTypeOf(orders).toEqualTypeOf<AsyncIterable<Types.Order>>();
          return {};
        },
      });
      mockClient(Es, {
        find: (request) => {
          expectTypeOf(request).toEqualTypeOf<Types.EsOrder>();
          return { id: request.id };
        },
      });
      expectTypeOf<PromiseServiceOf<typeof OrdersService>['watch']>().toEqualTypeOf<
        (request: Types.FindRequest) => AsyncIterable<Types.Order>
      >();
      const service: PromiseServiceClient<PromiseServiceOf<typeof EsOrders>> = {} as Es;
      // An interface that is named wins.
      class Named extends GrpcPromiseService<PromisesOf<Orders, 'watch' | 'bargain'>>(OrdersService) {}
      expectTypeOf<Named['find']>().toEqualTypeOf<GrpcLbPromiseMethod<{ id: string }, Order>>();
      return service;
    },

    'resume with the types of an interface of async iterables': () => {
      @Resumable<PromiseServiceOf<typeof EsOrders>, string>({
        method: 'watch',
        token: (order) => order.id,
        resume: (request, id) => ({ ...request, id }),
        bookmark: (order) => {
          expectTypeOf(order).toEqualTypeOf<Types.EsOrder>();
          return false;
        },
      })
      class Client extends GrpcPromiseService(EsOrders) {}
      return Client;
    },

    'are views of a client of Observables, of a stub, and of a mock': () => {
      const views = (orders: OrdersClient, stub: Orders, mock: MockedClient<OrdersClient>): unknown[] => {
        expectTypeOf(promises(orders).find).toEqualTypeOf<GrpcLbPromiseMethod<{ id: string }, Order>>();
        expectTypeOf(promises(orders).place([{ sku: 'a' }])).toEqualTypeOf<Promise<Order>>();
        expectTypeOf(promises(stub).find).toEqualTypeOf<GrpcLbPromiseMethod<{ id: string }, Order>>();
        expectTypeOf(promises(mock).find({ id: '1' })).toEqualTypeOf<Promise<Order>>();
        expectTypeOf(responses(orders).find({ id: '1' })).toEqualTypeOf<Promise<GrpcLbResponse<Order>>>();
        expectTypeOf(iterate(orders.bargain([]))).toEqualTypeOf<AsyncIterableIterator<Order>>();
        return [];
      };
      class WithOwn extends GrpcPromiseService<PromisesOf<Orders, 'watch' | 'bargain'>>() {
        override readonly find: GrpcLbPromiseMethod<{ id: string }, Order> = (request: { id: string }) =>
          super.find(request, { timeout: 1000 });
      }
      expectTypeOf<keyof ResponseClient<WithOwn>>().toEqualTypeOf<'find' | 'place'>();
      expectTypeOf(views).toBeFunction();
    },
  },

  declarations: {
    'take what ClientsModule took': () => {
      const options: GrpcLbClientOptions = {
        url: 'orders:50051',
        package: ['orders.v1', 'common'],
        protoPath: ['a.proto'],
        loader: { keepCase: true },
        keepalive: { keepaliveTimeMs: 1000 },
        credentials: credentials.createInsecure(),
        channelOptions: { 'grpc.enable_retries': 0 },
        maxReceiveMessageLength: 1,
      };
      expectTypeOf(options.credentials).toEqualTypeOf<ChannelCredentials | undefined>();
      const balanced: LoadBalancingOptions = {
        policy: leastRequest({ choiceCount: 2 }),
        pool: connectionPool({ size: 2 }),
        health: healthCheck({ service: 'orders.v1.Orders', panicThreshold: 30 }),
        ejection: outlierEjection({ failureCodes: ['UNAVAILABLE', 'INTERNAL'] }),
        slowStart: slowStart({ window: 30_000 }),
        subset: subset({ size: 20, algorithm: 'deterministic_aperture', clients: 10, index: 0 }),
        locality: locality(),
        retry: retry({
          maxAttempts: 2,
          methods: { Find: { maxAttempts: 5 }, Place: false },
          throttling: false,
          budget: { ratio: 0.1 },
        }),
        hedge: hedge({ delay: 'p99.9', methods: { Find: true, Place: false, Watch: { delay: 50 } } }),
        deadline: deadline({ timeout: 1000, methods: { Watch: 60_000 } }),
      };
      const modules = (): unknown[] => [
        GrpcLbModule.forRoot({
          loadBalancing: balanced,
          overrides: { ORDERS: { target: 'a:1', loadBalancing: { policy: 'random' } } },
        }),
        GrpcLbModule.forRootAsync(grpcLbConfig.asProvider()),
        GrpcLbModule.forRootAsync({
          inject: [Map],
          useFactory: async (map: Map<string, number>) => ({ overrides: {}, ...(map && {}) }),
        }),
        GrpcLbModule.forFeature([OrdersClient, { name: 'ORDERS', transport: 4, options }], { isGlobal: true }),
        GrpcLbModule.forFeatureAsync({ client: OrdersClient, useFactory: () => ({ target: 'a:1' }) }),
        GrpcLbModule.forFeatureAsync([{ name: Symbol('ORDERS'), useFactory: async () => options }], { isGlobal: true }),
      ];
      expectTypeOf(modules).toBeFunction();
    },

    'decorate classes and parameters': () => {
      @LeastRequest({ choiceCount: 2, activeRequestBias: 1 })
      @ConnectionPool({ size: 2, maxSize: 4 })
      @HealthCheck({ enabled: true })
      @OutlierEjection({ consecutiveFailures: 3, successRate: 0.5 })
      @SlowStart({ aggression: 1 })
      @Subset({ size: 20 })
      @Locality({ zone: 'eu-central-1a' })
      @Retry({ retryableStatusCodes: ['UNAVAILABLE'], attemptTimeout: 200 })
      @Hedge({ methods: { Find: true } })
      @Deadline({ timeout: 1000 })
      class Decorated extends GrpcService<Orders>() {}
      class Injecting {
        @InjectGrpcService('ORDERS', 'Orders') readonly property!: ServiceClient<Orders>;
        constructor(
          @InjectGrpcLbClient(OrdersClient) readonly client: ClientGrpc,
          @InjectGrpcService(OrdersClient, 'Orders') readonly orders: ServiceClient<Orders>,
        ) {}
      }
      @Adaptive()
      class Own extends GrpcService<Orders>() {}
      @PeakEwma({ decayTime: 5000 })
      class Peaks extends GrpcService<Orders>() {}
      @HotCold({ hotQuantile: 0.9 })
      class Temperatures extends GrpcService<Orders>() {}
      expectTypeOf<Own | Peaks | Temperatures>().toExtend<ServiceClient<Orders>>();
      // What has good defaults may stand without a word.
      @HealthCheck()
      @OutlierEjection()
      @SlowStart()
      @Locality()
      @Retry()
      @Hedge()
      class ByDefault extends GrpcService<Orders>() {}
      expectTypeOf<ByDefault>().toExtend<ServiceClient<Orders>>();
      expectTypeOf<Decorated>().toExtend<ServiceClient<Orders>>();
      expectTypeOf<Injecting['orders']['find']>().toEqualTypeOf<OrdersClient['find']>();
    },
  },

  'options of the aspects': {
    'know the status codes that can be a failure': () => {
      expectTypeOf<'UNAVAILABLE' | 'RESOURCE_EXHAUSTED'>().toExtend<FailureStatus>();
      expectTypeOf<'OK' | 'CANCELLED'>().not.toExtend<FailureStatus>();
    },

    'are complete in a snapshot, but for retries, hedging and deadlines, of which there may be none': () => {
      expectTypeOf<ClientSnapshot['loadBalancing']>().toEqualTypeOf<EffectiveLoadBalancing | null>();
      expectTypeOf<EffectiveLoadBalancing['health']['service']>().toEqualTypeOf<string>();
      expectTypeOf<EffectiveLoadBalancing['ejection']['window']>().toEqualTypeOf<number>();
      expectTypeOf<EffectiveLoadBalancing['slowStart']['window']>().toEqualTypeOf<number>();
      expectTypeOf<EffectiveLoadBalancing['retry']>().toEqualTypeOf<RetryOptions | undefined>();
      expectTypeOf<EffectiveLoadBalancing['hedge']>().toEqualTypeOf<HedgeOptions | undefined>();
      expectTypeOf<HedgePolicyOptions['delay']>().toEqualTypeOf<number | HedgeQuantile | undefined>();
    },
  },

  'the registry': {
    'shows one client or all of them': () => {
      expectTypeOf<GrpcLbRegistry['events$']>().toEqualTypeOf<Observable<LbEvent>>();
      const look = (registry: GrpcLbRegistry): [ClientSnapshot[], ClientSnapshot] => [
        registry.snapshot(),
        registry.snapshot(OrdersClient),
      ];
      expectTypeOf(look).toBeFunction();
    },

    'has events that are told apart by their type, all of them known': () => {
      const text = (event: LbEvent): string => {
        switch (event.type) {
          case 'client_state':
            return `${event.client}: ${event.from} to ${event.to}, ${event.reason ?? 'all is well'}`;
          case 'discovery_updated':
            return `${event.added + event.removed} of ${event.total}`;
          case 'discovery_failed':
            return `${event.error}, ${event.uses === 'none' ? 'no list' : 'a list'}`;
          case 'discovery_recovered':
            return event.target;
          case 'streams_leaving':
            return `${event.address} ${event.streams} ${event.reason}`;
          case 'stream_rebalanced':
            return `${event.address} ${event.to}`;
          case 'failover':
            return `${event.priority}: ${event.share}`;
          case 'discovery_warning':
            return event.warning;
          case 'endpoint_added':
          case 'endpoint_removed':
            return event.address;
          case 'endpoint_state':
            return `${event.address}: ${event.from} to ${event.to}, ${event.reason ?? ''}`;
          case 'connection_opened':
            return `${event.address} ${event.connection}`;
          case 'connection_closed':
            return `${event.address} ${event.connection} ${event.reason ?? ''}`;
          case 'panic':
            return `${event.on} ${event.healthy} ${event.connected}`;
          case 'health_not_offered':
            return `${event.address} ${event.why}`;
          case 'watch_backed_off':
            return `${event.address} ${event.watch} ${event.reason} ${event.total}`;
          case 'load_reports_not_offered':
            return event.client;
          case 'load_report_rejected':
            return `${event.address} ${event.total}`;
          case 'pool_saturated':
            return String(event.pending);
          case 'call_rejected':
            return `${event.pending} of ${event.maxPending}`;
          case 'certificates_rotated':
            return `${event.fingerprint ?? ''} ${event.expires ?? ''}`;
          case 'certificates_rejected':
            return `${event.reason} ${event.uses === 'last'}`;
          case 'certificate_expiring':
            return `${event.reason} ${event.expires}`;
          case 'connection_not_replaced':
            return `${event.address} ${event.reason}`;
          case 'shedding':
            return `${event.on} ${event.address}`;
          case 'throttle':
            return `${event.on} ${event.method} ${event.accepts} of ${event.requests}`;
          case 'configured':
            return String(event.time);
        }
      };
      expectTypeOf(text).returns.toEqualTypeOf<string>();
    },
  },
};
