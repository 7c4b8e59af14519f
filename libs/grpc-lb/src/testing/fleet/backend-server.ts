import { once } from 'node:events';
import { Server, ServerCredentials, type ServerOptions, type ServiceDefinition } from '@grpc/grpc-js';
import type { BackendHealth } from './backend-health.js';
import { type CallHost, implementationOf } from './service-implementation.js';
import type { TappedSocket } from './tapped-socket.js';

/** A server of grpc-js that a backend runs, until it stops or its limits change. It gets its connections from the backend. */
export class BackendServer {
  readonly #server: Server;
  readonly #injector: ReturnType<Server['createConnectionInjector']>;
  /** Ends the watches of its health. */
  readonly #endWatches: (() => void) | undefined;

  constructor(
    services: readonly ServiceDefinition[],
    host: CallHost,
    health: BackendHealth | undefined,
    options: ServerOptions,
  ) {
    this.#server = new Server(options);
    for (const service of services) this.#server.addService(service, implementationOf(service, host));
    this.#endWatches = health?.addTo(this.#server);
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  readonly accept = (connection: TappedSocket): void => this.#injector.injectConnection(connection);

  /** Ends all calls and connections. */
  kill(): void {
    this.#server.forceShutdown();
  }

  /** GOAWAY, and the end of the connections when the last call has been answered. */
  async shutDown(connections: readonly TappedSocket[]): Promise<void> {
    const closed = connections.flatMap((connection) => (connection.closed ? [] : [once(connection, 'close')]));
    const shut = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    // After GOAWAY, so that clients do not take the end for one of the health.
    this.#endWatches?.();
    await shut;
    // From Node 24 on, it does not wait for the calls of connections that it has not accepted itself.
    await Promise.all(closed);
  }
}
