import net from 'node:net';
import type { Address } from '../../core/endpoint.js';
import { firstOutcome } from '../outcome.js';

/** A TCP or Unix connection, or why there is none: the code of Node, or `timeout`. */
export type Dialed =
  | { readonly socket: net.Socket }
  | { readonly socket?: undefined; readonly code: string; readonly message: string };

/** Opens a connection. The caller destroys the socket. */
export function dial(address: Address, timeoutMs: number): Promise<Dialed> {
  const socket = net.connect('path' in address ? { path: address.path } : { host: address.host, port: address.port });
  // An error after the outcome is of no interest, but must not end the process.
  socket.on('error', () => {});
  return firstOutcome<Dialed>(
    timeoutMs,
    () => {
      socket.destroy();
      return { code: 'timeout', message: `no answer to the TCP handshake within ${timeoutMs} ms` };
    },
    (settle) => {
      socket.once('connect', () => settle({ socket }));
      socket.once('error', (error: NodeJS.ErrnoException) => {
        socket.destroy();
        settle({ code: error.code ?? 'unknown', message: error.message === '' ? (error.code ?? '') : error.message });
      });
    },
  );
}
