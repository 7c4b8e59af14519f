import type { Server, ServerInterceptor, ServerOptions } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import type { InjectionToken } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import {
  type CustomStrategy,
  type GrpcOptions,
  type MessageHandler,
  ServerGrpc,
  Transport,
} from '@nestjs/microservices';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { isObject, shown } from '../core/options/validation.js';
import { GrpcServer } from './grpc-server.js';
import { decoratedAge } from './max-stream-age.js';
import { effectiveServerOptions, type GrpcServerOptions } from './options.js';
import { serviceNames } from './service-names.js';

type TransportOptions = GrpcOptions['options'];

/** What `NestFactory.createMicroservice` and `app.connectMicroservice` take. */
export interface GrpcServerMicroservice extends CustomStrategy {
  /** Tokens that Nest calls `useFactory` with. */
  readonly inject: InjectionToken[];
  /** Called by Nest when the providers exist. */
  readonly useFactory: (module: ModuleRef) => CustomStrategy;
}

/**
 * A gRPC microservice with the server side of load balancing. It takes the options of Nest's gRPC transport. Pass the
 * `server` options here, or to `GrpcServerModule` if the application imports it.
 *
 * @throws GrpcLbOptionsError if `microservice` is of another transport or has no `options`, or that lists all faults of
 *   the `server` options.
 * @example
 *   NestFactory.createMicroservice(AppModule, grpcServer({ options: { url, package: 'orders.v1', protoPath } }));
 */
export function grpcServer(microservice: GrpcOptions, server?: GrpcServerOptions): GrpcServerMicroservice {
  assertMicroservice(microservice);
  const options = server && effectiveServerOptions('grpcServer', server);
  return {
    strategy: new GrpcServerTransport(microservice.options),
    inject: [ModuleRef],
    // A method: several applications may be made of one value, as in tests, and each needs a transport of its own.
    useFactory(this: Partial<CustomStrategy> | undefined, module: ModuleRef) {
      const provided = providedServer(module);
      if (provided && options) {
        const message = 'are set here and in GrpcServerModule; set all of them in the module';
        throw new GrpcLbOptionsError('grpcServer', [{ path: 'options', message }]);
      }
      const strategy = new GrpcServerTransport(microservice.options);
      strategy.use(provided ?? new GrpcServer(options ?? effectiveServerOptions('grpcServer', {})));
      // Nest calls the factory when the providers exist. Before 11.1.9 it then looks for the strategy beside it.
      if (this) this.strategy = strategy;
      return { strategy };
    },
  };
}

/** Nest itself would fail when it listens, with an error of a library. */
function assertMicroservice(microservice: unknown): void {
  const { transport, options, ...others } = (microservice ?? {}) as Partial<Record<string, unknown>>;
  const faults: Fault[] = [];
  if (transport !== undefined && transport !== Transport.GRPC)
    faults.push({ path: 'transport', message: `is ${transportName(transport)}; only gRPC is served, so remove it` });
  if (!isObject(options)) {
    const names = Object.keys(others);
    const remedy = names.length > 0 ? `move ${names.join(', ')} to options` : 'use { url, package, protoPath }';
    faults.push({ path: 'options', message: `is ${options === undefined ? 'missing' : shown(options)}; ${remedy}` });
  }
  if (faults.length > 0) throw new GrpcLbOptionsError('grpcServer', faults);
}

function transportName(transport: unknown): string {
  return typeof transport === 'number' ? (Transport[transport] ?? shown(transport)) : shown(transport);
}

function providedServer(module: ModuleRef): GrpcServer | undefined {
  try {
    return module.get(GrpcServer, { strict: false });
  } catch {
    return undefined;
  }
}

/** Nest's own gRPC transport, which also reports its health and shuts down gracefully. */
class GrpcServerTransport extends ServerGrpc {
  readonly #options: TransportOptions;
  #server: GrpcServer | undefined;
  #loaded: PackageDefinition = {};

  constructor(options: TransportOptions) {
    // A copy: Nest reads it when it listens, and the user's object stays unchanged.
    const own = { ...options };
    super(own);
    this.#options = own;
  }

  use(server: GrpcServer): void {
    this.#server = server;
    this.#useTls(server);
    server.addTransport();
    const { channelOptions, onLoadPackageDefinition } = this.#options;
    const { interceptors = [] } = (channelOptions ?? {}) as { interceptors?: ServerInterceptor[] };
    const { maxAge, maxAgeGrace } = server.options.connection;
    const more: ServerOptions = {
      interceptors: [server.interceptor, ...interceptors],
      ...(maxAge !== undefined && { 'grpc.max_connection_age_ms': maxAge }),
      ...(maxAgeGrace !== undefined && { 'grpc.max_connection_age_grace_ms': maxAgeGrace }),
    };
    this.#options.channelOptions = { ...channelOptions, ...(more as object) };
    this.#options.onLoadPackageDefinition = (loaded, grpc) => {
      this.#loaded = loaded as PackageDefinition;
      onLoadPackageDefinition?.(loaded, grpc);
    };
  }

  #useTls({ credentials }: GrpcServer): void {
    if (credentials === undefined) return;
    if (this.#options.credentials !== undefined) {
      const message =
        'is set together with credentials of the transport, which bring their own certificates; remove one of them';
      throw new GrpcLbOptionsError('grpcServer', [{ path: 'tls', message }]);
    }
    this.#options.credentials = credentials;
  }

  override async listen(callback: (error?: unknown, ...more: unknown[]) => void): Promise<void> {
    try {
      await this.#server!.prepare();
    } catch (error) {
      callback(error);
      return;
    }
    await super.listen(callback);
  }

  override async createClient(): Promise<unknown> {
    const server = (await super.createClient()) as Server;
    this.#server!.created(server);
    return server;
  }

  override async bindEvents(): Promise<void> {
    await super.bindEvents();
    const services = serviceNames(this.#loaded, [this.#options.package].flat());
    this.#server!.attach(this.grpcClient as Server, this.#loaded, services);
  }

  /** Called by Nest with each handler, and with what decorators have said of it. */
  override addHandler(pattern: unknown, callback: MessageHandler, isEventHandler?: boolean, extras?: object): void {
    super.addHandler(pattern, callback, isEventHandler);
    const age = decoratedAge(extras);
    if (age === undefined) return;
    const { service, rpc } = pattern as { readonly service: string; readonly rpc: string };
    this.#server!.decorateStreamAge(service, rpc, age);
  }

  /** Nest's own would cut running calls, or wait for streams that never end. */
  override async close(): Promise<void> {
    await this.#server?.drain();
    // Ports that were bound but not attached, because startup failed.
    (this.grpcClient as Server | undefined)?.forceShutdown();
    this.grpcClient = undefined;
  }
}
