import { once } from 'node:events';
import net from 'node:net';
import { freePort } from 'nestjs-grpc-lb/testing';
import { closeWithTest } from '../run/close-with-test.js';

/** A TCP proxy that can fall silent: connections stay open, but no bytes pass, as on a broken network. */
export class TcpProxy {
  port = 0;
  #frozen = false;
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;

  constructor(
    /** Where new connections go. */
    public target: string,
    /** Called before bytes of the target are passed on. */
    private readonly onAnswer: () => void = () => {},
  ) {
    // Otherwise each answer waits for an acknowledgement that is delayed by 40 ms.
    this.#server = net.createServer({ noDelay: true }, (client) => {
      const [host, port] = this.target.split(':') as [string, string];
      const upstream = net.connect({ port: Number(port), host, noDelay: true });
      this.#join(client, upstream);
      upstream.on('data', this.onAnswer);
      this.#join(upstream, client);
    });
    closeWithTest(() => this.stop());
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Listens; on the port it had before when it is started again. */
  async start(): Promise<this> {
    this.port ||= await freePort();
    await once(this.#server.listen(this.port, '127.0.0.1'), 'listening');
    return this;
  }

  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  thaw(): void {
    this.#frozen = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** Breaks all connections with RST. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(from: net.Socket, to: net.Socket): void {
    this.#sockets.add(from);
    from.on('data', (chunk) => to.write(chunk));
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#frozen) from.pause();
  }
}
