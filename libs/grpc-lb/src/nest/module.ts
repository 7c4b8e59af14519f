import { type DynamicModule, Global, Inject, Module, type Provider, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { ClientGrpc } from '@nestjs/microservices';
import { GrpcLbOptionsError, shown } from '../core/options/validation.js';
import { clientName, declaredClass, declaredItem } from './declared-clients.js';
import { namedServices } from './decorators/inject.js';
import { isDecoratedWith, isInjectedInFactory } from './demand.js';
import type {
  GrpcLbClientAsyncItem,
  GrpcLbClientItem,
  GrpcLbClientOptionsFactory,
  GrpcLbFeatureOptions,
  GrpcLbModuleAsyncOptions,
  GrpcLbModuleOptions,
  GrpcLbModuleOptionsFactory,
} from './module-options.js';
import type { GrpcLbClientOptions } from './client-options.js';
import type { GrpcLbClientHandle } from './client-handle.js';
import { type DeclaredClient, GrpcLbRegistry } from './registry.js';
import { type ClientRef, getGrpcLbClientToken, getGrpcServiceToken, MODULE_OPTIONS } from './tokens.js';

/** What `forRoot` provides, visible everywhere. */
@Global()
@Module({})
class GrpcLbRootModule {
  /** A second one would have clients of its own, and half of the modules would see only those. */
  constructor(@Inject(ModulesContainer) modules: ModulesContainer) {
    const roots = [...modules.values()].filter(({ metatype }) => metatype === GrpcLbRootModule);
    if (roots.length > 1) throw new Error('GrpcLbModule.forRoot() stands twice; keep the one in the root module');
  }
}

/** Balanced gRPC clients: `forRoot` once, `forFeature` wherever clients are needed. */
@Module({})
export class GrpcLbModule {
  /** Once, in the root module. Provides `GrpcLbRegistry` to all modules. */
  static forRoot(options: GrpcLbModuleOptions = {}): DynamicModule {
    return rootModule({ provide: MODULE_OPTIONS, useValue: options });
  }

  /** As `forRoot`, with options that are made by a factory: `forRootAsync(grpcLbConfig.asProvider())`. */
  static forRootAsync(options: GrpcLbModuleAsyncOptions): DynamicModule {
    const create = (factory: GrpcLbModuleOptionsFactory): unknown => factory.createGrpcLbModuleOptions();
    const { provider, extra } = asyncProvider(MODULE_OPTIONS, 'GrpcLbModule.forRootAsync', options, create);
    return rootModule(provider, extra, options.imports);
  }

  /** Declares clients: decorated classes, and named items as `ClientsModule` takes them. */
  static forFeature(clients: readonly (Type | GrpcLbClientItem)[], options: GrpcLbFeatureOptions = {}): DynamicModule {
    if (!Array.isArray(clients)) throw noArray(clients);
    const declared = (clients as readonly (Type | GrpcLbClientItem)[]).map((client, i) => {
      const ref = refOf('GrpcLbModule.forFeature', `clients[${i}]`, client);
      const declare = (): DeclaredClient =>
        typeof client === 'function' ? declaredClass(client) : declaredItem(client);
      return { ref, providers: [clientProvider(ref, [], declare)] };
    });
    return featureModule(declared, options);
  }

  /** As `forFeature`, with options that are made by factories. */
  static forFeatureAsync(
    items: GrpcLbClientAsyncItem | readonly GrpcLbClientAsyncItem[],
    options: GrpcLbFeatureOptions = {},
  ): DynamicModule {
    const list = [items].flat();
    const declared = list.map((item, i) => {
      const ref = refOf('GrpcLbModule.forFeatureAsync', `items[${i}]`, item);
      const token = Symbol(`nestjs-grpc-lb options of ${clientName(ref)}`);
      const create = (factory: GrpcLbClientOptionsFactory): unknown =>
        factory.createGrpcLbClientOptions(clientName(ref));
      const { provider, extra } = asyncProvider(
        token,
        `GrpcLbModule.forFeatureAsync, client ${clientName(ref)}`,
        item,
        create,
      );
      const declare = (made: unknown): DeclaredClient =>
        typeof ref === 'function'
          ? declaredClass(ref, made as Partial<GrpcLbClientOptions>)
          : declaredItem({ name: ref, options: made as GrpcLbClientOptions });
      return { ref, providers: [provider, ...extra, clientProvider(ref, [token], declare)] };
    });
    return featureModule(
      declared,
      options,
      list.flatMap((item) => item.imports ?? []),
    );
  }
}

/** Told now and in full, since without it nothing can be said later: a class in a circle of imports is undefined here. */
function refOf(
  subject: string,
  path: string,
  item: Type | GrpcLbClientItem | GrpcLbClientAsyncItem | undefined,
): ClientRef {
  const { client, name } = (item ?? {}) as { client?: unknown; name?: unknown };
  const ref = typeof item === 'function' ? item : (client ?? name);
  if (typeof ref === 'function' || typeof ref === 'symbol' || (typeof ref === 'string' && ref !== ''))
    return ref as ClientRef;
  const found = item === undefined ? 'is undefined (is there a circle of imports?)' : 'is no class and has no name';
  throw new GrpcLbOptionsError(subject, [
    { path, message: `${found}; list classes with @GrpcLbClient, and items with a name` },
  ]);
}

function noArray(clients: unknown): GrpcLbOptionsError {
  const found = typeof clients === 'function' ? `the class ${clients.name}` : shown(clients);
  return new GrpcLbOptionsError('GrpcLbModule.forFeature', [
    { path: 'clients', message: `is ${found}; use an array, as in forFeature([OrdersClient])` },
  ]);
}

function rootModule(options: Provider, extra: Provider[] = [], imports: DynamicModule['imports'] = []): DynamicModule {
  return {
    module: GrpcLbRootModule,
    imports,
    providers: [options, ...extra, GrpcLbRegistry],
    exports: [GrpcLbRegistry],
  };
}

interface Feature {
  readonly ref: ClientRef;
  readonly providers: readonly Provider[];
}

function featureModule(
  features: readonly Feature[],
  { isGlobal = false }: GrpcLbFeatureOptions,
  imports: DynamicModule['imports'] = [],
): DynamicModule {
  return {
    module: GrpcLbModule,
    global: isGlobal,
    imports,
    // Read when the application is scanned: by then all classes are defined, and with them which services are asked for.
    get providers() {
      return features.flatMap(({ ref, providers }) => [...providers, ...injectables(ref)]);
    },
    get exports() {
      return features.flatMap(({ ref }) => [
        getGrpcLbClientToken(ref),
        ...(typeof ref === 'function' ? [ref] : []),
        ...namedServices(ref).map((service) => getGrpcServiceToken(ref, service)),
      ]);
    },
  };
}

/** The `ClientGrpc` of a client. */
function clientProvider(ref: ClientRef, inject: symbol[], declare: (...made: unknown[]) => DeclaredClient): Provider {
  return {
    provide: getGrpcLbClientToken(ref),
    inject: [{ token: GrpcLbRegistry, optional: true }, ...inject],
    useFactory: (registry: GrpcLbRegistry | undefined, ...made: unknown[]): GrpcLbClientHandle => {
      if (registry) return registry.add(declare(...made));
      throw new Error(
        `client ${clientName(ref)}: GrpcLbModule.forRoot() is missing; add it to the imports of the root module`,
      );
    },
  };
}

/** What else can be injected of a client: its class, and the stubs that decorators ask for. */
function injectables(ref: ClientRef): Provider[] {
  const stubs = namedServices(ref).map((service) => ({
    provide: getGrpcServiceToken(ref, service),
    inject: [getGrpcLbClientToken(ref), ModulesContainer],
    useFactory: (client: ClientGrpc, modules: ModulesContainer): object | undefined => {
      try {
        return client.getService(service);
      } catch (error) {
        const token = getGrpcServiceToken(ref, service);
        if (isDecoratedWith(modules, [token]) || isInjectedInFactory(modules, token)) throw error;
        // A class of another application names it, whose client of that name has another proto file.
        return undefined;
      }
    },
  }));
  return typeof ref === 'function' ? [ref, ...stubs] : stubs;
}

function asyncProvider<Factory>(
  token: symbol,
  subject: string,
  { useFactory, useClass, useExisting, inject = [] }: GrpcLbModuleAsyncOptions | GrpcLbClientAsyncItem,
  create: (factory: Factory) => unknown,
): { provider: Provider; extra: Provider[] } {
  if ([useFactory, useClass, useExisting].filter(Boolean).length !== 1) {
    throw new Error(`${subject}: give one of useFactory, useClass and useExisting`);
  }
  if (useFactory) return { provider: { provide: token, inject, useFactory }, extra: [] };
  const from = (useClass ?? useExisting)!;
  return { provider: { provide: token, inject: [from], useFactory: create }, extra: useClass ? [useClass] : [] };
}
