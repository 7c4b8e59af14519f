import 'reflect-metadata';
import type * as grpc from '@grpc/grpc-js';
import { Controller, type DynamicModule, type INestApplicationContext, type ModuleMetadata } from '@nestjs/common';
import { GrpcMethod, GrpcStreamMethod } from '@nestjs/microservices';
import { Test, type TestingModule } from '@nestjs/testing';
import { map, NEVER, type Observable } from 'rxjs';
import { onTestFinished } from 'vitest';
import { freePort } from 'nestjs-grpc-lb/testing';
import {
  GrpcServer,
  GrpcServerModule,
  type GrpcServerMicroservice,
  type GrpcServerOptions,
  grpcServer,
} from '../../../libs/grpc-lb/src/server/index.js';
import { ECHO_PROTO, Echo, type Line } from '../echo/cluster.js';

/** What the handlers of a server do; may be changed while it runs. */
export interface Handlers {
  say(line: Line, call: grpc.ServerUnaryCall<Line, Line>): Promise<Partial<Line>> | Partial<Line>;
  repeat(line: Line, call: grpc.ServerWritableStream<Line, Line>): Observable<Partial<Line>>;
  join(lines: Observable<Line>): Observable<Partial<Line>>;
  talk(lines: Observable<Line>): Observable<Partial<Line>>;
}

/** A controller of the Echo service, and what its handlers do. By default `Say` echoes and `Repeat` never ends. */
export function echoController(): { controller: new () => object; handlers: Handlers } {
  const handlers: Handlers = {
    say: (line) => line,
    repeat: () => NEVER,
    join: (lines) => lines,
    talk: (lines) => lines.pipe(map((line) => ({ ...line }))),
  };

  @Controller()
  class EchoController {
    @GrpcMethod('Echo', 'Say')
    say(line: Line, _metadata: unknown, call: grpc.ServerUnaryCall<Line, Line>): unknown {
      return handlers.say(line, call);
    }

    @GrpcMethod('Echo', 'Repeat')
    repeat(line: Line, _metadata: unknown, call: grpc.ServerWritableStream<Line, Line>): Observable<Partial<Line>> {
      return handlers.repeat(line, call);
    }

    @GrpcStreamMethod('Echo', 'Join')
    join(lines: Observable<Line>): Observable<Partial<Line>> {
      return handlers.join(lines);
    }

    @GrpcStreamMethod('Echo', 'Talk')
    talk(lines: Observable<Line>): Observable<Partial<Line>> {
      return handlers.talk(lines);
    }
  }
  return { controller: EchoController, handlers };
}

export interface EchoMicroservice {
  readonly server: GrpcServer;
  readonly address: string;
  readonly handlers: Handlers;
  close(): Promise<void>;
}

/** What Nest's gRPC transport takes for echo.proto. */
export function echoTransport(
  port: number,
  channelOptions: object = {},
  credentials?: grpc.ServerCredentials,
): Parameters<typeof grpcServer>[0] {
  return {
    options: {
      ...(credentials && { credentials }),
      url: `127.0.0.1:${port}`,
      package: 'echo.v1',
      protoPath: ECHO_PROTO,
      loader: { defaults: true },
      channelOptions,
    },
  };
}

interface More {
  readonly port?: number;
  readonly imports?: ModuleMetadata['imports'];
  readonly server?: DynamicModule;
  readonly channelOptions?: grpc.ServerOptions;
  readonly credentials?: grpc.ServerCredentials;
  /** Instead of the one of `handlers`. */
  readonly controller?: new () => object;
}

/** A Nest microservice of echo.proto with the server side of balancing. It ends with the test. */
export async function startEcho(options: GrpcServerOptions = {}, more: More = {}): Promise<EchoMicroservice> {
  return start(options, more, (module, microservice) => {
    const app = module.createNestMicroservice(microservice);
    return { app, listen: () => app.listen() };
  });
}

/** The same as a part of an HTTP application, which runs the hooks of its modules before it closes what listens. */
export async function startHybridEcho(options: GrpcServerOptions = {}, more: More = {}): Promise<EchoMicroservice> {
  return start(options, more, (module, microservice) => {
    const app = module.createNestApplication();
    app.connectMicroservice(microservice);
    return { app, listen: async () => void (await (await app.startAllMicroservices()).init()) };
  });
}

async function start(
  options: GrpcServerOptions,
  more: More,
  create: (
    module: TestingModule,
    microservice: GrpcServerMicroservice,
  ) => { app: INestApplicationContext; listen(): Promise<void> },
): Promise<EchoMicroservice> {
  const { controller, handlers } = echoController();
  const port = more.port ?? (await freePort());
  const server = more.server ?? GrpcServerModule.forRoot({ ...options, drain: { delay: 0, ...options.drain } });
  const imports = [...(more.imports ?? []), server];
  const module = await Test.createTestingModule({ imports, controllers: [more.controller ?? controller] }).compile();
  const { app, listen } = create(module, grpcServer(echoTransport(port, more.channelOptions, more.credentials)));
  app.useLogger(false);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= app.close());
  onTestFinished(close);
  await listen();
  return { server: app.get(GrpcServer), address: `127.0.0.1:${port}`, handlers, close };
}

/** A bare grpc-js client; it closes when the test ends. */
export function echoClient(
  addresses: string | readonly string[],
  credentials: grpc.ChannelCredentials,
  options: grpc.ClientOptions = {},
): EchoClient {
  const client = new Echo(`ipv4:${[addresses].flat().join(',')}`, credentials, {
    'grpc.use_local_subchannel_pool': 1,
    // With TLS. grpc-js would ask for the address by SNI, which Node 26 refuses.
    'grpc.ssl_target_name_override': 'localhost',
    ...options,
  });
  onTestFinished(() => client.close());
  return client as unknown as EchoClient;
}

type Callback = (error: grpc.ServiceError | null, line?: Line) => void;

export interface EchoClient extends grpc.Client {
  say(line: Partial<Line>, options: grpc.CallOptions, callback: Callback): grpc.ClientUnaryCall;
  repeat(line: Partial<Line>): grpc.ClientReadableStream<Line>;
  join(callback: Callback): grpc.ClientWritableStream<Partial<Line>>;
  talk(): grpc.ClientDuplexStream<Partial<Line>, Line>;
}

export function say(client: EchoClient, text = 'x', deadline = 60_000): Promise<Line> {
  return new Promise((resolve, reject) => {
    client.say({ text }, { deadline: Date.now() + deadline }, (error, line) =>
      error ? reject(error) : resolve(line!),
    );
  });
}

/** The error of a call that must fail. */
export async function failureOf(call: Promise<unknown>): Promise<grpc.ServiceError> {
  try {
    await call;
  } catch (error) {
    return error as grpc.ServiceError;
  }
  throw new Error('The call has succeeded');
}
