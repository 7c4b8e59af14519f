import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';

/** A registry of its own at `/metrics`. */
export class MetricsPage {
  readonly registry = new Registry();
  readonly #server = http.createServer((_request, response) => {
    void this.registry.metrics().then((text) => {
      response.setHeader('Content-Type', this.registry.contentType);
      response.end(text);
    });
  });

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
