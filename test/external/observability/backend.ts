import { status as Status } from '@grpc/grpc-js';
import type { INestMicroservice } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { freePort } from 'nestjs-grpc-lb/testing';
import { GrpcServerMetrics } from '../../../libs/grpc-lb/src/telemetry/prometheus/index.js';
import { grpcServer, GrpcServerModule } from '../../../libs/grpc-lb/src/server/index.js';
import { TcpProxy } from '../../support/peers/tcp-proxy.js';
import { echoController, echoTransport, type Handlers } from '../../support/server/app.js';
import { MetricsPage } from './metrics-page.js';

/** A server with health and metrics, behind a proxy that can cut it off, or fall silent. */
export class Backend {
  /** Its health check. */
  serving = true;
  /** What share of the calls fails, and with what. */
  failures = { share: 0, code: Status.UNAVAILABLE };
  readonly page = new MetricsPage();
  #calls = 0;
  #app!: INestMicroservice;
  #proxy!: TcpProxy;

  get address(): string {
    return this.#proxy.address;
  }

  get port(): number {
    return this.#proxy.port;
  }

  async start(): Promise<this> {
    await this.page.start();
    const { controller, handlers } = echoController();
    handlers.say = (line) => this.#answer(line);
    const checks = { '': () => this.serving };
    const server = GrpcServerModule.forRoot({
      health: { checks, interval: 100, failureThreshold: 1 },
      observer: new GrpcServerMetrics({ registry: this.page.registry }),
      drain: { delay: 0 },
    });
    const port = await freePort();
    const module = await Test.createTestingModule({ imports: [server], controllers: [controller] }).compile();
    this.#app = module.createNestMicroservice(grpcServer(echoTransport(port)));
    this.#app.useLogger(false);
    await this.#app.listen();
    this.#proxy = await new TcpProxy(`127.0.0.1:${port}`).start();
    return this;
  }

  /** As a process that dies: connections end, and the port is closed. */
  async kill(): Promise<void> {
    await this.#proxy.stop();
  }

  async restart(): Promise<void> {
    await this.#proxy.start();
  }

  /** As a process that is stopped, or a firewall that drops packets. */
  hang(): void {
    this.#proxy.freeze();
  }

  resume(): void {
    this.#proxy.thaw();
  }

  async close(): Promise<void> {
    await this.#proxy.stop();
    await this.#app.close();
    await this.page.close();
  }

  #answer(line: Parameters<Handlers['say']>[0]): ReturnType<Handlers['say']> {
    const { share, code } = this.failures;
    // Every n-th, so that none is left to chance.
    if (share > 0 && ++this.#calls % Math.round(1 / share) === 0)
      throw new RpcException({ code, message: 'failed on purpose' });
    return line;
  }
}
