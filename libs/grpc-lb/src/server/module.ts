import {
  type DynamicModule,
  type FactoryProvider,
  Global,
  Inject,
  Logger,
  Module,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  Optional,
} from '@nestjs/common';
import { GrpcLbOptionsError } from '../core/errors.js';
import { assertForRoot, requireObject } from '../core/options/required.js';
import { shown } from '../core/options/validation.js';
import { GrpcServer } from './grpc-server.js';
import { effectiveServerOptions, type GrpcServerOptions } from './options.js';

/** What `GrpcServerModule.forRootAsync` takes. */
export interface GrpcServerModuleAsyncOptions {
  /**
   * Modules that provide what `inject` names.
   *
   * @default `[]`
   */
  readonly imports?: ModuleMetadata['imports'];
  /**
   * Tokens of the providers that `useFactory` is called with.
   *
   * @default `[]`
   */
  readonly inject?: FactoryProvider['inject'];
  /** Returns the options, from providers such as health indicators or the configuration. */
  // oxlint-disable-next-line typescript/no-explicit-any -- As in Nest's own FactoryProvider.
  readonly useFactory: (...dependencies: any[]) => GrpcServerOptions | Promise<GrpcServerOptions>;
}

/** What `GrpcServerModule` provides, visible everywhere. */
@Global()
@Module({})
class GrpcServerCoreModule {}

/**
 * The server side in the container of the application: options that need its providers, `GrpcServer` to inject, and a
 * drain at the start of Nest's shutdown. `grpcServer` must still wrap the transport.
 *
 * Import it last in the root module. Nest destroys modules from the root down, and the imports of a module from the
 * last to the first, so this one then drains before others release what calls need. (It cannot be global: Nest destroys
 * global modules last.)
 */
@Module({})
export class GrpcServerModule implements OnApplicationBootstrap, OnModuleDestroy {
  /**
   * Provides `GrpcServer` with these options.
   *
   * @throws GrpcLbOptionsError that lists all faults.
   */
  static forRoot(options: GrpcServerOptions = {}): DynamicModule {
    const effective = effectiveServerOptions('GrpcServerModule.forRoot', options);
    return serverModule([], { provide: GrpcServer, useFactory: () => new GrpcServer(effective) });
  }

  /**
   * Like `forRoot`, with options from a factory.
   *
   * @throws GrpcLbOptionsError if `useFactory` is not a function; faults of its options are thrown when it has run.
   */
  static forRootAsync(options: GrpcServerModuleAsyncOptions): DynamicModule {
    const subject = 'GrpcServerModule.forRootAsync';
    requireObject(subject, 'options', options, 'an object with useFactory');
    const { imports = [], inject = [], useFactory } = options;
    if (typeof useFactory !== 'function') {
      const message = `is ${shown(useFactory)}; use a function that returns the options`;
      throw new GrpcLbOptionsError(subject, [{ path: 'useFactory', message }]);
    }
    const create = async (...dependencies: unknown[]): Promise<GrpcServer> =>
      new GrpcServer(effectiveServerOptions(subject, await useFactory(...dependencies)));
    return serverModule(imports, { provide: GrpcServer, inject, useFactory: create });
  }

  /** @internal Nest creates it. */
  constructor(@Optional() @Inject(GrpcServer) private readonly server: GrpcServer) {
    assertForRoot(server, 'GrpcServerModule');
  }

  /** Called by Nest: warns if no microservice uses the module. */
  onApplicationBootstrap(): void {
    if (this.server.used) return;
    new Logger('GrpcServer').warn(
      'No microservice uses GrpcServerModule; wrap the options of the microservice, as in grpcServer({ options })',
    );
  }

  /** Called by Nest: drains the server. */
  async onModuleDestroy(): Promise<void> {
    await this.server.drain();
  }
}

function serverModule(imports: NonNullable<ModuleMetadata['imports']>, server: FactoryProvider): DynamicModule {
  const core = { module: GrpcServerCoreModule, imports, providers: [server], exports: [GrpcServer] };
  return { module: GrpcServerModule, imports: [core] };
}
