import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { HealthImplementation, type ServingStatusMap } from 'grpc-health-check';
import { closeWithTest } from '../run/close-with-test.js';

export interface Line {
  text: string;
  server: string;
  times: number;
}

export const ECHO_PROTO = fileURLToPath(new URL('echo.proto', import.meta.url));

const loaded = grpc.loadPackageDefinition(loadSync(ECHO_PROTO, { defaults: true })) as unknown as {
  echo: { v1: { Echo: grpc.ServiceClientConstructor; Mirror: grpc.ServiceClientConstructor } };
};
export const { Echo, Mirror } = loaded.echo.v1;

/** How a backend answers; may be changed while it runs. */
export interface Behaviour {
  /** Called for each unary call; its promise decides when and how the call ends. Default: at once. */
  say(line: Line, server: EchoServer): Promise<Partial<Line>> | Partial<Line>;
}

/** A real gRPC server in this process. It ends with the test. */
export class EchoServer {
  readonly behaviour: Behaviour = { say: () => ({}) };
  /** Unary calls that have reached it. */
  calls = 0;
  /** Streams that are open now. */
  streams = 0;
  /** TCP connections since the start. */
  connections = 0;
  port = 0;
  #server: grpc.Server | undefined;
  #front: net.Server | undefined;
  readonly #sockets = new Set<net.Socket>();

  /** Its health service; only if it was made with `withHealth`. */
  health: HealthImplementation | undefined;

  /** Of 127.0.0.0/8, where every address is this machine. */
  readonly host: string;

  constructor(
    private readonly options: grpc.ServerOptions & {
      readonly withHealth?: ServingStatusMap;
      /** Default 127.0.0.1. */
      readonly host?: string;
      /** Default: without TLS. */
      readonly credentials?: grpc.ServerCredentials;
    } = {},
  ) {
    this.host = options.host ?? '127.0.0.1';
    closeWithTest(() => this.kill());
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Listens; on the port it had before when it is started again. */
  async start(): Promise<this> {
    const { withHealth, host: _, credentials = grpc.ServerCredentials.createInsecure(), ...options } = this.options;
    const server = new grpc.Server(options);
    if (withHealth) {
      this.health = new HealthImplementation(withHealth);
      this.health.addToServer(server);
    }
    server.addService(Echo.service, {
      Say: (call: grpc.ServerUnaryCall<Line, Line>, done: grpc.sendUnaryData<Line>) =>
        void this.#say(call.request, done),
      Repeat: (call: grpc.ServerWritableStream<Line, Line>) => this.#repeat(call),
      Join: (call: grpc.ServerReadableStream<Line, Line>, done: grpc.sendUnaryData<Line>) => this.#join(call, done),
      Talk: (call: grpc.ServerDuplexStream<Line, Line>) => this.#talk(call),
    });
    server.addService(Mirror.service, {
      Look: (call: grpc.ServerUnaryCall<Line, Line>, done: grpc.sendUnaryData<Line>) =>
        void this.#say(call.request, done),
    });
    // Connections are accepted here and handed over, so that they can be counted and cut.
    this.#front = net.createServer((socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      injector.injectConnection(socket);
    });
    const injector = server.createConnectionInjector(credentials);
    this.#server = server;
    this.#front.listen(this.port, this.host);
    await once(this.#front, 'listening');
    this.port = (this.#front.address() as net.AddressInfo).port;
    return this;
  }

  /** As a process that dies: every connection is cut, and the port is closed. */
  async kill(): Promise<void> {
    const front = this.#front;
    this.#front = undefined;
    const closed = front && once(front, 'close');
    front?.close();
    this.cutConnections();
    this.#server?.forceShutdown();
    await closed;
  }

  /** As a server that ends healthy: no new connections, GOAWAY on the old ones, and calls in flight are served to the end. */
  async shutDown(): Promise<void> {
    const front = this.#front;
    if (!front) return;
    this.#front = undefined;
    const closed = once(front, 'close');
    front.close();
    await new Promise<void>((resolve) => this.#server!.tryShutdown(() => resolve()));
    // When the last connection has ended: from Node 24 on, tryShutdown() does not wait for those that it has not accepted.
    await closed;
  }

  /** Cuts the connections; the port stays open. */
  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #say(line: Line, done: grpc.sendUnaryData<Line>): Promise<void> {
    this.calls++;
    try {
      const answer = await this.behaviour.say(line, this);
      done(null, { text: line.text, server: this.address, times: this.calls, ...answer });
    } catch (error) {
      done(error as grpc.ServiceError);
    }
  }

  /** `times` lines, then the end; for 0 times it stays open until it is cancelled. */
  #repeat(call: grpc.ServerWritableStream<Line, Line>): void {
    this.#countStream(call);
    const { text, times } = call.request;
    for (let i = 0; i < (times || 1); i++) call.write({ text, server: this.address, times: i });
    if (times > 0) call.end();
  }

  #join(call: grpc.ServerReadableStream<Line, Line>, done: grpc.sendUnaryData<Line>): void {
    this.#countStream(call);
    const texts: string[] = [];
    call.on('data', (line: Line) => texts.push(line.text));
    call.on('end', () => done(null, { text: texts.join(' '), server: this.address, times: texts.length }));
  }

  #talk(call: grpc.ServerDuplexStream<Line, Line>): void {
    this.#countStream(call);
    call.on('data', (line: Line) => call.write({ ...line, server: this.address }));
    call.on('end', () => call.end());
  }

  #countStream(call: { on(event: string, listener: () => void): unknown }): void {
    this.streams++;
    let open = true;
    const closed = (): void => {
      if (open) this.streams--;
      open = false;
    };
    call.on('error', closed);
    call.on('cancelled', closed);
    call.on('close', closed);
    call.on('finish', closed);
  }
}

/** Starts `count` servers. */
export async function startServers(
  count: number,
  options?: ConstructorParameters<typeof EchoServer>[0],
): Promise<EchoServer[]> {
  return Promise.all(Array.from({ length: count }, () => new EchoServer(options).start()));
}

export function staticTarget(servers: readonly { readonly address: string }[]): string {
  return `static:///${servers.map((server) => server.address).join(',')}`;
}

/** A promise and the keys to it. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((accept, refuse) => ([resolve, reject] = [accept, refuse]));
  return { promise, resolve, reject };
}
