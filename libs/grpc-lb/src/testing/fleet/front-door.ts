import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers';
import { listenOnFreePort } from '../free-port.js';
import type { FleetTls } from './fleet-tls.js';
import { SecuredSocket } from './secured-socket.js';
import { TappedSocket } from './tapped-socket.js';

/**
 * Turns of the event loop, of which one reads the end of a socket, the next ones end its HTTP/2 session, and tell the
 * client.
 */
const TURNS = 5;

/** The port of a backend, which stays the same over restarts, and the connections to it. */
export class FrontDoor {
  /** TCP connections since the start. */
  accepted = 0;
  /** Whether a connection has ended whose client spoke TLS where the backend does not, or the other way around. */
  misunderstood = false;
  #server: Server | undefined;
  /** The server that is about to listen, unless `close` gives it up. */
  #opening: Server | undefined;
  #accept: (connection: TappedSocket) => void = () => {};
  #partitioned = false;
  readonly #open = new Set<TappedSocket>();

  /**
   * @param port 0: any that is free.
   * @param onChange Called when a client can send calls over a connection, or cannot any more.
   */
  constructor(
    readonly host: string,
    public port: number,
    private readonly tls: FleetTls | undefined,
    private readonly onChange: () => void,
  ) {}

  get isOpen(): boolean {
    return this.#server !== undefined;
  }

  get partitioned(): boolean {
    return this.#partitioned;
  }

  /** How many connections clients can send calls over. */
  get settled(): number {
    return [...this.#open].filter((each) => each.settled).length;
  }

  /** Hands over the connections that come from now on; returns those that are open, which count no more. */
  handOver(accept: (connection: TappedSocket) => void): readonly TappedSocket[] {
    this.#accept = accept;
    return this.retire();
  }

  /** The open connections get no new calls; they count no more. */
  retire(): readonly TappedSocket[] {
    for (const connection of this.#open) connection.retire();
    return [...this.#open];
  }

  /**
   * Listens, the second time on the same port; not if it is closed in the meantime. Nothing here keeps the process alive.
   */
  async open(accept: (connection: TappedSocket) => void): Promise<void> {
    this.#accept = accept;
    const server = createServer({ noDelay: true }, (socket) => {
      socket.unref();
      this.accepted++;
      const connection = this.#connection(socket);
      this.#open.add(connection);
      connection.once('close', () => {
        this.#open.delete(connection);
        this.misunderstood ||= connection.speaksTls !== undefined && connection.speaksTls !== (this.tls !== undefined);
        this.onChange();
      });
      if (this.#partitioned) connection.hold();
      this.#accept(connection);
    });
    this.#opening = server;
    if (this.port === 0) await listenOnFreePort(server, this.host);
    else await once(server.listen(this.port, this.host), 'listening');
    server.unref();
    if (this.#opening !== server) return void server.close();
    this.#opening = undefined;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Accepts no more connections; those that are open stay. */
  close(): void {
    this.#opening = undefined;
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    // It emits `close` when the last connection has ended, too, which may take long; the port is free at once.
    server.close();
  }

  /** Cuts all connections. Resolves when clients in this process have seen it. */
  async cut(): Promise<void> {
    for (const connection of this.#open) connection.cut();
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  #connection(socket: Socket): TappedSocket {
    return this.tls ? new SecuredSocket(socket, this.tls, this.onChange) : new TappedSocket(socket, this.onChange);
  }

  partition(): void {
    this.#partitioned = true;
    for (const connection of this.#open) connection.hold();
  }

  heal(): void {
    this.#partitioned = false;
    for (const connection of this.#open) connection.release();
  }
}
