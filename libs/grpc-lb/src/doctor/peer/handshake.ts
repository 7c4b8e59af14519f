import net from 'node:net';
import tls from 'node:tls';
import { firstOutcome } from '../outcome.js';
import type { TlsFiles } from '../options.js';

/** A TLS connection, whether its certificate is good or not; or why there is none. */
export type Shaken =
  | { readonly socket: tls.TLSSocket }
  | { readonly socket?: undefined; readonly code: string; readonly message: string };

/** Does a TLS handshake as grpc-js does, but judges no certificate. The caller destroys the socket. */
export function shakeHands(raw: net.Socket, name: string, files: TlsFiles, timeoutMs: number): Promise<Shaken> {
  const socket = tls.connect({
    socket: raw,
    // SNI carries names only (RFC 6066).
    ...(net.isIP(name) === 0 && { servername: name }),
    // gRPC requires h2 (PROTOCOL-HTTP2: "implementations must support ALPN").
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
    ...files,
  });
  socket.on('error', () => {});
  return firstOutcome<Shaken>(
    timeoutMs,
    () => {
      socket.destroy();
      return { code: 'timeout', message: `no answer to the TLS handshake within ${timeoutMs} ms` };
    },
    (settle) => {
      const failed = (code: string, message: string): void => {
        socket.destroy();
        settle({ code, message });
      };
      socket.once('secureConnect', () => settle({ socket }));
      socket.once('error', (error: NodeJS.ErrnoException) =>
        failed(error.code ?? 'unknown', plainReason(error.message)),
      );
      socket.once('close', () => failed('closed', 'the peer closed the connection during the TLS handshake'));
    },
  );
}

/** A message of OpenSSL is `80BC...:error:0A00010B:SSL routines:function:reason:file:line:`. */
export function plainReason(message: string): string {
  return /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? message;
}
