import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { register } from 'prom-client';
import { ADDRESS, METRICS_PORT } from './tokens.js';

/** Serves the metrics of this backend for Prometheus, at `/metrics` of a port of its own. */
@Injectable()
export class MetricsPage implements OnApplicationBootstrap, OnApplicationShutdown {
  #server: Server | undefined;

  constructor(
    @Inject(METRICS_PORT) private readonly port: number,
    @Inject(ADDRESS) private readonly address: string,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.port === 0) return;
    this.#server = createServer((request, response) => {
      if (request.url !== '/metrics') return void response.writeHead(404).end();
      void register.metrics().then(
        (text) => response.writeHead(200, { 'Content-Type': register.contentType }).end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
    // Where the calls arrive: a pod's own address, or this computer only.
    const host = this.address.slice(0, this.address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
    this.#server.listen(this.port, host);
    await once(this.#server, 'listening');
  }

  onApplicationShutdown(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }
}
