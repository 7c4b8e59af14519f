import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { type Random, randomBelow } from '../../../libs/grpc-lb/src/core/random.js';
import { Echo, type Line } from './service.js';

/** A server that answers soon, late, with UNAVAILABLE, or never, as chance says; and that comes and goes. */
export class RestlessServer {
  port = 0;
  #server: grpc.Server | undefined;

  constructor(private readonly random: Random) {}

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    const server = new grpc.Server();
    server.addService(Echo.service, {
      Say: (call: grpc.ServerUnaryCall<Line, Line>, done: grpc.sendUnaryData<Line>) => {
        this.#later(() => {
          if (this.random() < 0.03) done({ code: grpc.status.UNAVAILABLE, details: 'by chance' });
          else done(null, call.request);
        });
      },
      Repeat: (call: grpc.ServerWritableStream<Line, Line>) => {
        this.#later(() => {
          for (let i = 0; i < Math.max(1, call.request.times); i++) call.write(call.request);
          // 0 times: until it is cancelled.
          if (call.request.times > 0) call.end();
        });
      },
      Join: (call: grpc.ServerReadableStream<Line, Line>, done: grpc.sendUnaryData<Line>) => {
        let times = 0;
        call.on('data', () => times++);
        call.on('error', () => {});
        call.on('end', () => {
          done(null, { text: '', server: this.address, times });
        });
      },
      Talk: (call: grpc.ServerDuplexStream<Line, Line>) => {
        call.on('data', (line: Line) => call.write(line));
        call.on('error', () => {});
        call.on('end', () => call.end());
      },
    });
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(this.address, grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    this.#server = server;
    return this;
  }

  /** Cuts its connections, or sends GOAWAY first and lets calls end for a while, and listens again. */
  async restart(graceMs: number): Promise<void> {
    if (graceMs > 0) {
      this.#server!.drain(this.address, graceMs);
      await new Promise((resolve) => setTimeout(resolve, graceMs));
    }
    this.stop();
    await this.start();
  }

  /** Cuts its connections. */
  stop(): void {
    this.#server?.forceShutdown();
  }

  #later(answer: () => void): void {
    const chance = this.random();
    if (chance < 0.6) answer();
    else if (chance < 0.9) setImmediate(answer);
    else setTimeout(answer, chance < 0.98 ? 5 : 60);
  }
}

/** A peer that refuses every stream before it runs. */
export class RefusingServer {
  port = 0;
  refused = 0;
  readonly #server = http2.createServer();
  readonly #sessions = new Set<http2.ServerHttp2Session>();

  async start(): Promise<this> {
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
    });
    this.#server.on('stream', (stream) => {
      this.refused++;
      stream.on('error', () => {});
      stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  stop(): void {
    for (const session of this.#sessions) session.destroy();
    this.#server.close();
  }
}

/** Four servers of which one restarts now and then, and a peer that refuses every call. */
export class RestlessServers {
  restarts = 0;
  readonly refusing = new RefusingServer();
  readonly #servers: readonly RestlessServer[];
  #restarting: Promise<void> | undefined;

  constructor(private readonly random: Random) {
    this.#servers = Array.from({ length: 4 }, () => new RestlessServer(random));
  }

  async start(): Promise<this> {
    await Promise.all([this.refusing, ...this.#servers].map((server) => server.start()));
    return this;
  }

  get target(): string {
    return `static:///${[...this.#servers, this.refusing].map(({ address }) => address).join(',')}`;
  }

  /** Restarts one, unless one restarts already: without a word, or with GOAWAY and a while for its calls. */
  disturb(): void {
    if (this.#restarting) return;
    this.restarts++;
    const server = this.#servers[randomBelow(this.random, this.#servers.length)]!;
    this.#restarting = server.restart(this.random() < 0.5 ? 0 : 20).finally(() => (this.#restarting = undefined));
  }

  /** Resolves when all are there. */
  async settle(): Promise<void> {
    await this.#restarting;
  }

  stop(): void {
    for (const server of this.#servers) server.stop();
    this.refusing.stop();
  }
}
