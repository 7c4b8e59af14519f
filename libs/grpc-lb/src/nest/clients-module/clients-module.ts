import { type DynamicModule, Module, type ModuleMetadata, type Provider } from '@nestjs/common';
import {
  type ClientProviderOptions,
  ClientsModule as NestClientsModule,
  type ClientsProviderAsyncOptions,
} from '@nestjs/microservices';
import { isObject } from '../../core/options/validation.js';
import { GRPC_TRANSPORT } from '../declared-clients.js';
import { GrpcLbModule } from '../module.js';
import type { GrpcLbClientAsyncItem, GrpcLbClientItem } from '../module-options.js';

/** What `register` and `registerAsync` take: a list of items, or the list and whether its clients are global. */
export type ClientsOf<Item> =
  | readonly Item[]
  | {
      /** The clients. */
      readonly clients: readonly Item[];
      /**
       * Makes the clients visible in every module.
       *
       * @default false
       */
      readonly isGlobal?: boolean;
    };

/**
 * `ClientsModule` of `@nestjs/microservices` with balanced gRPC clients, so that an application migrates by importing it
 * from `nestjs-grpc-lb/microservices` in each module. `GrpcLbModule.forRoot()` is needed as ever, once, in the root
 * module.
 */
@Module({})
export class ClientsModule {
  /**
   * Like `GrpcLbModule.forFeature`, with the parameter of `ClientsModule.register`. Items of other transports become
   * Nest's own clients.
   *
   * @throws GrpcLbOptionsError if the list is invalid; faults of a client are thrown when the module is built.
   */
  static register(options: ClientsOf<GrpcLbClientItem | ClientProviderOptions>): DynamicModule {
    const { clients, isGlobal } = listed(options);
    const others = isList(clients) ? clients.filter((item) => isOther(item)) : [];
    const balanced = others.length === 0 ? clients : clients.filter((item) => !others.includes(item));
    const modules = [GrpcLbModule.forFeature(balanced as GrpcLbClientItem[], { isGlobal })];
    if (others.length > 0) modules.push(NestClientsModule.register({ clients: others, isGlobal }));
    return reexported(modules);
  }

  /**
   * Like `GrpcLbModule.forFeatureAsync`, with the parameter of `ClientsModule.registerAsync`. All items have to be gRPC:
   * what a factory returns is known too late for another module.
   *
   * @throws GrpcLbOptionsError if the list is invalid; faults of a client are thrown when the module is built.
   */
  static registerAsync(options: ClientsOf<GrpcLbClientAsyncItem | ClientsProviderAsyncOptions>): DynamicModule {
    const { clients, isGlobal } = listed(options);
    const extras: DynamicModule[] = [];
    const items = [clients].flat().map((item) => {
      const { extraProviders = [], ...rest } = (item ?? {}) as ClientsProviderAsyncOptions;
      if (extraProviders.length === 0) return rest;
      const extra = extraModule(extraProviders, rest.imports);
      extras.push(extra);
      return { ...rest, imports: [...(rest.imports ?? []), extra] };
    });
    return reexported([GrpcLbModule.forFeatureAsync(items as GrpcLbClientAsyncItem[], { isGlobal }), ...extras]);
  }
}

/** The `extraProviders` of an item, which its factory may inject, as may the module that imports the clients. */
@Module({})
class ExtraProvidersModule {}

function extraModule(providers: Provider[], imports: ModuleMetadata['imports']): DynamicModule {
  const exports = providers.map((provider) => (typeof provider === 'function' ? provider : provider.provide));
  return { module: ExtraProvidersModule, imports, providers, exports };
}

function listed<Item>(options: ClientsOf<Item>): { clients: readonly Item[]; isGlobal?: boolean } {
  return isObject(options) && 'clients' in options ? options : { clients: options };
}

/** `forFeature` reports what is none. */
function isList<Item>(clients: readonly Item[]): boolean {
  return Array.isArray(clients);
}

function isOther(item: GrpcLbClientItem | ClientProviderOptions | undefined): item is ClientProviderOptions {
  if (!isObject(item)) return false;
  if ('customClass' in item) return true;
  return item.transport !== undefined && item.transport !== GRPC_TRANSPORT;
}

/** Modules may export `ClientsModule`, as they did. */
function reexported(modules: DynamicModule[]): DynamicModule {
  return { module: ClientsModule, imports: modules, exports: modules.map(({ module }) => module) };
}
