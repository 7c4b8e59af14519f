import { once } from 'node:events';
import net from 'node:net';
import { freePort } from 'nestjs-grpc-lb/testing';

/** A peer that accepts connections and never sends anything. */
export class SilentServer {
  accepted = 0;
  readonly #sockets = new Set<net.Socket>();
  readonly #server = net.createServer((socket) => {
    this.accepted++;
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
    // Read and thrown away, so that the end of the connection is noticed.
    socket.resume();
  });

  get open(): number {
    return this.#sockets.size;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  async start(): Promise<this> {
    await once(this.#server.listen(await freePort(), '127.0.0.1'), 'listening');
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}
