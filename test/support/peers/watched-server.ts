import { once } from 'node:events';
import net from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { freePort } from 'nestjs-grpc-lb/testing';
import { OpenRcaService, type OrcaLoadReport } from '../../../libs/grpc-lb/src/server/orca-proto.js';
import { Echo, type Line } from '../echo/cluster.js';
import { Health } from './health-watch.js';
import { Mailbox } from '../run/mailbox.js';

export type HealthCall = grpc.ServerWritableStream<{ service: string }, { status: string }>;
export type OrcaCall = grpc.ServerWritableStream<object, Partial<OrcaLoadReport>>;

/** A backend whose watches a test answers by hand; it closes when the test ends. */
export class WatchedServer {
  port = 0;
  /** Health watches that have come, and those that are open. */
  readonly healthCalls = new Mailbox<HealthCall>();
  healthWatches = 0;
  openHealthWatches = 0;
  readonly orcaCalls = new Mailbox<OrcaCall>();
  orcaWatches = 0;
  /** Called for each unary call. */
  say: (call: grpc.ServerUnaryCall<Line, Line>) => Promise<void> | void = () => {};
  /** Answers each health watch at once; undefined for by hand. */
  answer: ((call: HealthCall) => void) | undefined;
  readonly #sockets = new Set<net.Socket>();
  readonly #front: net.Server;
  readonly #server: grpc.Server;

  private constructor(options: grpc.ServerOptions) {
    this.#server = new grpc.Server(options);
    this.#server.addService(Health.service, { Watch: (call: HealthCall) => this.#onHealth(call) });
    this.#server.addService(OpenRcaService, {
      StreamCoreMetrics: (call: OrcaCall) => {
        call.on('error', () => {});
        this.orcaWatches++;
        this.orcaCalls.put(call);
      },
    });
    this.#server.addService(Echo.service, {
      Say: (call: grpc.ServerUnaryCall<Line, Line>, done: grpc.sendUnaryData<Line>) =>
        void Promise.resolve(this.say(call)).then(() => done(null, { text: call.request.text, server: '', times: 0 })),
    });
    const injector = this.#server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
    this.#front = net.createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      injector.injectConnection(socket);
    });
  }

  static async start(options: grpc.ServerOptions = {}): Promise<WatchedServer> {
    const server = new WatchedServer(options);
    server.port = await freePort();
    await once(server.#front.listen(server.port, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      server.#front.close();
      server.cutConnections();
      server.#server.forceShutdown();
    });
    return server;
  }

  get target(): string {
    return `static:///127.0.0.1:${this.port}`;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #onHealth(call: HealthCall): void {
    this.healthWatches++;
    this.openHealthWatches++;
    call.on('error', () => {});
    call.once('close', () => this.openHealthWatches--);
    if (this.answer) this.answer(call);
    else this.healthCalls.put(call);
  }
}
