import 'reflect-metadata';
import type { ServiceError } from '@grpc/grpc-js';
import type { ModuleMetadata, Type } from '@nestjs/common';
import { ClientsModule, Transport } from '@nestjs/microservices';
import { Test, type TestingModule, type TestingModuleBuilder } from '@nestjs/testing';
import { onTestFinished } from 'vitest';
import {
  GrpcLbClient,
  type GrpcLbClientDecoratorOptions,
  type GrpcLbClientOptions,
  GrpcLbModule,
  GrpcService,
  type ServiceClient,
} from 'nestjs-grpc-lb';
import type { Observable } from 'rxjs';
import { ECHO_PROTO, type Line } from '../echo/cluster.js';

type Request = Partial<Line>;

/** The service of echo.proto as a Nest application declares it. */
export interface EchoService {
  say(request: Request): Observable<Line>;
  repeat(request: Request): Observable<Line>;
  join(requests: Observable<Request>): Observable<Line>;
  talk(requests: Observable<Request>): Observable<Line>;
}

export interface MirrorService {
  look(request: Request): Observable<Line>;
}

/** What a stub offers: the methods with metadata and call options. */
export type EchoStub = ServiceClient<EchoService>;

const LOADER = { defaults: true };

/** The options of a client of echo.proto. */
export function echoOptions(target: string, more: Partial<GrpcLbClientOptions> = {}): GrpcLbClientOptions {
  return { target, package: 'echo.v1', protoPath: ECHO_PROTO, loader: LOADER, ...more };
}

/** A decorated class, a new one each time, since its target is known only when the test runs. */
export function echoClient(target: string, more: Partial<GrpcLbClientDecoratorOptions> = {}): Type<EchoStub> {
  @GrpcLbClient({ ...echoOptions(target), service: 'Echo', ...more })
  class EchoClient extends GrpcService<EchoService>() {}
  return EchoClient;
}

/** An application that has started; it closes when the test ends. */
export async function startApp(
  metadata: ModuleMetadata,
  change: (builder: TestingModuleBuilder) => TestingModuleBuilder = (builder) => builder,
): Promise<TestingModule> {
  const app = await change(Test.createTestingModule(metadata)).compile();
  const close = app.close.bind(app);
  let closed: Promise<void> | undefined;
  // Nest runs the hooks again when it is closed twice.
  app.close = (signal) => (closed ??= close(signal));
  onTestFinished(() => app.close());
  return app.init();
}

/** The error of an application that cannot start. */
export async function startError(metadata: ModuleMetadata): Promise<Error> {
  try {
    await startApp(metadata);
  } catch (error) {
    return error as Error;
  }
  throw new Error('The application has started');
}

/** The error of a call that must fail. */
export function errorOf(call: Observable<unknown>): Promise<ServiceError & { cause?: unknown }> {
  return new Promise((resolve, reject) => {
    call.subscribe({ error: resolve, complete: () => reject(new Error('The call has succeeded')) });
  });
}

/** A client of the name ECHO: of this package, or Nest's own, whose address has no scheme. */
export const CLIENTS = {
  "Nest's ClientGrpc": (options: GrpcLbClientOptions): ModuleMetadata => {
    const { target, package: name = '', ...rest } = options;
    const nest = { ...rest, package: name, url: target!.replace(/^static:\/\/\//, '') };
    return { imports: [ClientsModule.register([{ name: 'ECHO', transport: Transport.GRPC, options: nest }])] };
  },
  'the balanced client': (options: GrpcLbClientOptions): ModuleMetadata => ({
    imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([{ name: 'ECHO', options }])],
  }),
};
