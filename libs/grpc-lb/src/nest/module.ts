import { type DynamicModule, Global, Inject, Module, type Provider, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { ClientGrpc, ClientsModuleOptionsFactory } from '@nestjs/microservices';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { boolean, fields, shown } from '../core/options/validation.js';
import { asyncProvider, type Dependency, type FactoryMethods } from './async-options.js';
import { clientName, type DeclaredClient, declaredByFactory, declaredClass, declaredItem } from './declared-clients.js';
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
import type { GrpcLbClientHandle } from './client-handle.js';
import { GrpcLbRegistry } from './registry.js';
import { registryOf } from './required-imports.js';
import { peersFor } from './stub/service-definitions.js';
import { type ClientRef, getGrpcLbClientToken, getGrpcServiceToken, MODULE_OPTIONS } from './tokens.js';

/** What `forRoot` provides, visible everywhere. */
@Global()
@Module({})
class GrpcLbRootModule {
  /** A second one would have its own clients, and half of the modules would see only those. */
  constructor(@Inject(ModulesContainer) modules: ModulesContainer) {
    const roots = [...modules.values()].filter(({ metatype }) => metatype === GrpcLbRootModule);
    if (roots.length < 2) return;
    throw new GrpcLbOptionsError('GrpcLbModule', [
      { path: 'forRoot()', message: 'is imported more than once; keep the import in the root module' },
    ]);
  }
}

/**
 * Balanced gRPC clients: import `forRoot` once, and `forFeature` in each module that needs clients.
 *
 * @example
 *   imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient])]
 */
@Module({})
export class GrpcLbModule {
  /** Provides `GrpcLbRegistry` to all modules. Import it once, in the root module. */
  static forRoot(options: GrpcLbModuleOptions = {}): DynamicModule {
    return rootModule({ provide: MODULE_OPTIONS, useValue: options });
  }

  /** Like `forRoot`, with options from a factory: `forRootAsync(grpcLbConfig.asProvider())`. */
  static forRootAsync(options: GrpcLbModuleAsyncOptions): DynamicModule {
    const methods: FactoryMethods<GrpcLbModuleOptionsFactory> = {
      names: ['createGrpcLbModuleOptions'],
      call: (factory) => factory.createGrpcLbModuleOptions(),
    };
    const { provider, extra } = asyncProvider(MODULE_OPTIONS, 'GrpcLbModule.forRootAsync', options, methods);
    return rootModule(provider, extra, options.imports);
  }

  /**
   * Declares clients: decorated classes, and named items in the form of `ClientsModule`.
   *
   * @throws GrpcLbOptionsError if the list is invalid; faults of a client are thrown when the module is built.
   */
  static forFeature(clients: readonly (Type | GrpcLbClientItem)[], options: GrpcLbFeatureOptions = {}): DynamicModule {
    if (!Array.isArray(clients)) throw noArray(clients);
    const list = clients as readonly (Type | GrpcLbClientItem)[];
    const refs = refsOf('GrpcLbModule.forFeature', 'clients', list);
    const declared = list.map((client, i) => {
      const ref = refs[i]!;
      const declare = (): DeclaredClient =>
        typeof client === 'function' ? declaredClass(client) : declaredItem(client);
      return { ref, providers: [clientProvider(ref, [], declare)] };
    });
    return featureModule('GrpcLbModule.forFeature', declared, options);
  }

  /** Like `forFeature`, with options from factories. */
  static forFeatureAsync(
    items: GrpcLbClientAsyncItem | readonly GrpcLbClientAsyncItem[],
    options: GrpcLbFeatureOptions = {},
  ): DynamicModule {
    const subject = 'GrpcLbModule.forFeatureAsync';
    const list = [items].flat();
    const refs = refsOf(subject, 'items', list);
    const declared = list.map((item, i) => {
      const ref = refs[i]!;
      const client = clientName(ref);
      const token = Symbol(`nestjs-grpc-lb options of ${client}`);
      const methods: FactoryMethods<ClientFactory> = {
        names: ['createGrpcLbClientOptions', 'createClientOptions'],
        call: (factory) =>
          'createGrpcLbClientOptions' in factory
            ? factory.createGrpcLbClientOptions(client)
            : factory.createClientOptions(),
      };
      const { provider, extra, inject } = asyncProvider(token, `client ${client}`, item, methods);
      const declare = (made: unknown, ...dependencies: unknown[]): DeclaredClient => ({
        ...declaredByFactory(ref, made, item.useFactory ? 'useFactory' : 'createGrpcLbClientOptions'),
        // Each module has its own instance of a useClass.
        madeBy: item.useClass ? [ref, item.useClass] : [ref, item.useFactory, ...dependencies],
      });
      return { ref, providers: [provider, ...extra, clientProvider(ref, [token, ...inject], declare)] };
    });
    return featureModule(
      subject,
      declared,
      options,
      list.flatMap((item) => item.imports ?? []),
    );
  }
}

type ClientFactory = GrpcLbClientOptionsFactory | ClientsModuleOptionsFactory;

type Item = Type | GrpcLbClientItem | GrpcLbClientAsyncItem;

/** The name of each item. Two items with one name would be one provider: the last would win silently. */
function refsOf(subject: string, list: string, items: readonly (Item | undefined)[]): ClientRef[] {
  const refs = items.map((item, i) => refOf(subject, `${list}[${i}]`, item));
  const faults = refs.flatMap((ref, i) => {
    const first = refs.indexOf(ref);
    // Duplicates of one class or object are harmless.
    if (first === i || items[first] === items[i]) return [];
    const message = `is "${clientName(ref)}", the same as ${list}[${first}]; rename one of them, or remove it`;
    return [{ path: `${list}[${i}].name`, message }];
  });
  if (faults.length > 0) throw new GrpcLbOptionsError(subject, faults);
  return refs;
}

/** Throws now, with all faults, because later checks need a class: one in a circular import is undefined here. */
function refOf(subject: string, path: string, item: Item | undefined): ClientRef {
  const { client, name } = (item ?? {}) as { client?: unknown; name?: unknown };
  const ref = typeof item === 'function' ? item : (client ?? name);
  if (typeof ref === 'function' || typeof ref === 'symbol' || (typeof ref === 'string' && ref !== ''))
    return ref as ClientRef;
  const found = item === undefined ? 'is undefined (a circular import?)' : 'is neither a class nor an item with a name';
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

const checkFeatureOptions = fields({ isGlobal: boolean });

function featureModule(
  subject: string,
  features: readonly Feature[],
  options: GrpcLbFeatureOptions,
  imports: DynamicModule['imports'] = [],
): DynamicModule {
  const faults: Fault[] = [];
  checkFeatureOptions('options', options, faults);
  if (faults.length > 0) throw new GrpcLbOptionsError(subject, faults);
  return {
    module: GrpcLbModule,
    global: options.isGlobal ?? false,
    imports,
    // Read when Nest scans the application: by then all classes are defined, and so are the services that they ask for.
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
function clientProvider(
  ref: ClientRef,
  inject: Dependency[],
  declare: (...made: unknown[]) => DeclaredClient,
): Provider {
  return {
    provide: getGrpcLbClientToken(ref),
    inject: [{ token: GrpcLbRegistry, optional: true }, ...inject],
    useFactory: (
      registry: GrpcLbRegistry | undefined,
      ...made: unknown[]
    ): GrpcLbClientHandle | Promise<GrpcLbClientHandle> => {
      return addClient(registryOf(registry, `client ${clientName(ref)}`), declare(...made));
    },
  };
}

/** A client may need packages that are loaded only for such clients. */
function addClient(
  registry: GrpcLbRegistry,
  declared: DeclaredClient,
): GrpcLbClientHandle | Promise<GrpcLbClientHandle> {
  const peers = peersFor(declared.options);
  if (peers.length === 0) return registry.add(declared);
  return Promise.all(peers.map((peer) => peer.prepare())).then(() => registry.add(declared));
}

/** The other injectables of a client: its class, and the stubs that decorators ask for. */
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
        // A class of another application, whose client of that name has another proto file, asks for it.
        return undefined;
      }
    },
  }));
  return typeof ref === 'function' ? [ref, ...stubs] : stubs;
}
