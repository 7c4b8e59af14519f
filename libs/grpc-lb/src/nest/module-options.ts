import type { InjectionToken, ModuleMetadata, OptionalFactoryDependency, Type } from '@nestjs/common';
import type { LoadBalancingOptions } from '../core/options/load-balancing.js';
import type { GrpcLbClientOptions } from './client-options.js';

/** What an operator may say about one client from outside, as `grpcLbConfig` reads it from the environment. */
export interface GrpcLbClientOverrides {
  readonly target?: string;
  /** Several, in order of preference; not beside `target`. */
  readonly targets?: readonly string[];
  readonly loadBalancing?: LoadBalancingOptions;
}

/** What `GrpcLbModule.forRoot` takes. */
export interface GrpcLbModuleOptions {
  /** For every client; what a client says itself wins. */
  readonly loadBalancing?: LoadBalancingOptions;
  /**
   * By the name of the client in upper snake case (`ORDERS_CLIENT` for the class `OrdersClient`). They win over what
   * the code says.
   */
  readonly overrides?: Readonly<Record<string, GrpcLbClientOverrides>>;
  /**
   * Whether what an operator should know goes to Nest's logger, under the name `GrpcLb`: discovery that fails and
   * recovers, a client without a ready endpoint, failover, panic, refused calls. The same is said once a minute at most.
   * Default true.
   */
  readonly logging?: boolean;
}

/** A class that makes the module's options, for `useClass` and `useExisting`. */
export interface GrpcLbModuleOptionsFactory {
  createGrpcLbModuleOptions(): GrpcLbModuleOptions | Promise<GrpcLbModuleOptions>;
}

/** A class that makes the options of clients, for `useClass` and `useExisting`. */
export interface GrpcLbClientOptionsFactory {
  /** @param name The name of the client, or of its class. */
  createGrpcLbClientOptions(name: string): Partial<GrpcLbClientOptions> | Promise<Partial<GrpcLbClientOptions>>;
}

/** A client that is known by a name, in the form that `ClientsModule` takes. */
export interface GrpcLbClientItem {
  readonly name: string | symbol;
  /** Allowed, so that an item of `ClientsModule` needs no change: `Transport.GRPC`. */
  readonly transport?: number;
  readonly options: GrpcLbClientOptions;
}

/** Where a factory comes from; one of the three. */
interface AsyncSource<T, Factory> extends Pick<ModuleMetadata, 'imports'> {
  /** What `useFactory` is called with. */
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
  // A factory's parameters are what `inject` names; TypeScript cannot tie the two together.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly useFactory?: (...args: any[]) => T | Promise<T>;
  readonly useClass?: Type<Factory>;
  readonly useExisting?: InjectionToken<Factory>;
}

export type GrpcLbModuleAsyncOptions = AsyncSource<GrpcLbModuleOptions, GrpcLbModuleOptionsFactory>;

/**
 * A client whose options are made by a factory: by name, or of a class, whose own options (those of its decorators) are
 * then completed and overruled field by field.
 */
export type GrpcLbClientAsyncItem = AsyncSource<Partial<GrpcLbClientOptions>, GrpcLbClientOptionsFactory> &
  ({ readonly name: string | symbol; readonly client?: never } | { readonly client: Type; readonly name?: never });

export interface GrpcLbFeatureOptions {
  /** Makes the clients visible in every module. Default false: where this module is imported. */
  readonly isGlobal?: boolean;
}
