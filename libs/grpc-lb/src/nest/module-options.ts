import type { InjectionToken, ModuleMetadata, OptionalFactoryDependency, Type } from '@nestjs/common';
import type { ClientsModuleOptionsFactory } from '@nestjs/microservices';
import type { LoadBalancingOptions } from '../core/options/load-balancing.js';
import type { TlsOptions } from '../tls/options.js';
import type { CallObserver } from '../grpc/call/call-observer.js';
import type { GrpcLbClientOptions } from './client-options.js';

/** Overrides of one client that an operator sets, as `grpcLbConfig` reads them from the environment. */
export interface GrpcLbClientOverrides {
  /**
   * Replaces the target of the code.
   *
   * @default that of the code
   */
  readonly target?: string;
  /**
   * Replaces the target of the code by several, in order of preference. Cannot be set together with `target`.
   *
   * @default those of the code
   */
  readonly targets?: readonly string[];
  /**
   * Wins over the options of the code, field by field.
   *
   * @default `{}`
   */
  readonly loadBalancing?: LoadBalancingOptions;
  /**
   * Wins over the options of the code, field by field.
   *
   * @default that of the code
   */
  readonly tls?: TlsOptions;
}

/**
 * When clients connect. `eager`: when the application starts, so that the first call finds connections. `lazy`: at the
 * first call of each client, which waits for discovery and a connection.
 */
export type GrpcLbConnectMode = 'eager' | 'lazy';

/** What `GrpcLbModule.forRoot` takes. */
export interface GrpcLbModuleOptions {
  /**
   * Load-balancing options for every client. Options of a client win over these, field by field.
   *
   * @default {}
   */
  readonly loadBalancing?: LoadBalancingOptions;
  /**
   * TLS of every client that has no `credentials`. Options of a client win over these, field by field.
   *
   * @default none
   */
  readonly tls?: TlsOptions;
  /**
   * Overrides by client, with its name in upper snake case (`ORDERS_CLIENT` for the class `OrdersClient`). They win
   * over the code.
   *
   * @default {}
   */
  readonly overrides?: Readonly<Record<string, GrpcLbClientOverrides>>;
  /**
   * When clients connect. With `lazy`, a client that nothing calls opens no connection, no watch and no timer, as in a
   * command-line tool or a test; it counts as not ready until its first call. `connect()` of a client connects it
   * earlier.
   *
   * @default 'eager'
   */
  readonly connect?: GrpcLbConnectMode;
  /**
   * Logs what an operator should know to Nest's logger, with the context `GrpcLb`: failing discovery and its recovery,
   * clients without a ready endpoint, failover, panic, rejected calls. Of a problem
   * that comes and goes about one line a minute is logged.
   *
   * @default true
   */
  readonly logging?: boolean;
  /**
   * Is told of each call and attempt of all clients. Clients of `xds:` targets have none, because their calls are made
   * by grpc-js.
   *
   * @default none
   */
  readonly observer?: CallObserver;
}

/** A class that creates the module's options, for `useClass` and `useExisting`. */
export interface GrpcLbModuleOptionsFactory {
  /** Called once, when the module is built. */
  createGrpcLbModuleOptions(): GrpcLbModuleOptions | Promise<GrpcLbModuleOptions>;
}

/** A class that creates the options of clients, for `useClass` and `useExisting`. */
export interface GrpcLbClientOptionsFactory {
  /**
   * Called once for each client.
   *
   * @param name The name of the client, or of its class.
   */
  createGrpcLbClientOptions(name: string): Partial<GrpcLbClientOptions> | Promise<Partial<GrpcLbClientOptions>>;
}

/** A client with a name, in the form that `ClientsModule` takes. */
export interface GrpcLbClientItem {
  /** The injection token of the client, and its name in snapshots, events and errors. */
  readonly name: string | symbol;
  /**
   * Allowed, so that an item of `ClientsModule` needs no change: `Transport.GRPC`.
   *
   * @default `Transport.GRPC`
   */
  readonly transport?: number;
  /** The options of the client. */
  readonly options: GrpcLbClientOptions;
}

/** Options that a factory creates: exactly one of `useFactory`, `useClass` and `useExisting`. */
export interface GrpcLbAsyncSource<T, Factory> extends Pick<ModuleMetadata, 'imports'> {
  /** Tokens of the providers that `useFactory` is called with. */
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
  // `inject` names the parameters of the factory; TypeScript cannot relate the two.
  /** Returns the options, or a promise of them. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly useFactory?: (...args: any[]) => T | Promise<T>;
  /** A class that Nest instantiates for this item. */
  readonly useClass?: Type<Factory>;
  /** An existing provider. */
  readonly useExisting?: InjectionToken<Factory>;
}

/** What `GrpcLbModule.forRootAsync` takes. */
export type GrpcLbModuleAsyncOptions = GrpcLbAsyncSource<GrpcLbModuleOptions, GrpcLbModuleOptionsFactory>;

/** What a factory may return for a client: its options, or the item without its name, as `ClientsModule` wants it. */
export type GrpcLbCreatedClient =
  | Partial<GrpcLbClientOptions>
  | { readonly transport?: number; readonly options: Partial<GrpcLbClientOptions> };

/**
 * A client whose options come from a factory: by name, or for a class. The options complete and override those of the
 * class's decorators field by field. A factory of `ClientsModule.registerAsync`, and a `ClientsModuleOptionsFactory` for
 * `useClass` and `useExisting`, need no change.
 */
export type GrpcLbClientAsyncItem = GrpcLbAsyncSource<
  GrpcLbCreatedClient,
  GrpcLbClientOptionsFactory | ClientsModuleOptionsFactory
> &
  ({ readonly name: string | symbol; readonly client?: never } | { readonly client: Type; readonly name?: never });

/** What `GrpcLbModule.forFeature` and `forFeatureAsync` take beside the clients. */
export interface GrpcLbFeatureOptions {
  /**
   * Makes the clients visible in every module, not only where this module is imported.
   *
   * @default false
   */
  readonly isGlobal?: boolean;
}
