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
} from '@nestjs/common';
import { GrpcServer } from './grpc-server.js';
import { effectiveServerOptions, type GrpcServerOptions } from './options.js';

export interface GrpcServerModuleAsyncOptions {
  readonly imports?: ModuleMetadata['imports'];
  readonly inject?: FactoryProvider['inject'];
  /** Its arguments are what `inject` names, as health indicators or the configuration. */
  // oxlint-disable-next-line typescript/no-explicit-any -- As in Nest's own FactoryProvider.
  readonly useFactory: (...dependencies: any[]) => GrpcServerOptions | Promise<GrpcServerOptions>;
}

/** What `GrpcServerModule` provides, visible everywhere. */
@Global()
@Module({})
class GrpcServerCoreModule {}

/**
 * The server's half in the application's container: options that need its providers, `GrpcServer` to inject, and a drain
 * at the start of Nest's shutdown. The transport is still to be wrapped by `grpcServer`.
 *
 * Nest destroys from the root module down, and of the modules that one module imports the last one first. So as the last
 * import of the root module this one drains before any other lets go of what calls need. (It cannot be global itself:
 * Nest destroys global modules last.)
 */
@Module({})
export class GrpcServerModule implements OnApplicationBootstrap, OnModuleDestroy {
  static forRoot(options: GrpcServerOptions = {}): DynamicModule {
    const effective = effectiveServerOptions('GrpcServerModule.forRoot', options);
    return serverModule([], { provide: GrpcServer, useFactory: () => new GrpcServer(effective) });
  }

  static forRootAsync({ imports = [], inject = [], useFactory }: GrpcServerModuleAsyncOptions): DynamicModule {
    const create = async (...dependencies: unknown[]): Promise<GrpcServer> =>
      new GrpcServer(effectiveServerOptions('GrpcServerModule.forRootAsync', await useFactory(...dependencies)));
    return serverModule(imports, { provide: GrpcServer, inject, useFactory: create });
  }

  constructor(@Inject(GrpcServer) private readonly server: GrpcServer) {}

  onApplicationBootstrap(): void {
    if (this.server.used) return;
    new Logger('GrpcServer').warn(
      'No microservice uses GrpcServerModule; wrap the options of the microservice, as in grpcServer({ options })',
    );
  }

  async onModuleDestroy(): Promise<void> {
    await this.server.drain();
  }
}

function serverModule(imports: NonNullable<ModuleMetadata['imports']>, server: FactoryProvider): DynamicModule {
  const core = { module: GrpcServerCoreModule, imports, providers: [server], exports: [GrpcServer] };
  return { module: GrpcServerModule, imports: [core] };
}
