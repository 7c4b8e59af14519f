import type { Server } from '@grpc/grpc-js';
import { portsOf } from './ports.js';

interface Session {
  /** Sends a GOAWAY, and closes when its last stream has ended. */
  close(): void;
}

/**
 * Closes the ports of a server, and sends a GOAWAY on each connection, with the last stream that it has received.
 * Resolves when the last connection has closed.
 */
export function shutDown(server: Server): Promise<void> {
  // A connection whose TLS handshake is not over yet becomes a session later, of which `tryShutdown` does not know.
  for (const port of portsOf(server)) port.on('session', (session: Session) => session.close());
  return new Promise((resolve) => server.tryShutdown(() => resolve()));
}
