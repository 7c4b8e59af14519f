import type { Socket } from 'node:net';
import { ChannelCredentials } from '@grpc/grpc-js';
import { handshakeResult, type HandshakeResult } from '../../core/connection/handshake-result.js';
import { NOT_NEEDED } from '../endpoint/abortable-address.js';
import { withPeerNames } from './peer-names.js';

type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/** Called when a handshake has ended. */
export type HandshakeEnded = (result: HandshakeResult) => void;

/** Credentials whose handshakes are counted. grpc-js asks them for a connector, which makes the handshakes. */
export class ObservedHandshakes extends ChannelCredentials {
  constructor(
    private readonly credentials: ChannelCredentials,
    private readonly ended: HandshakeEnded,
  ) {
    super();
  }

  override _isSecure(): boolean {
    return this.credentials['_isSecure']();
  }

  override _equals(other: ChannelCredentials): boolean {
    return other instanceof ObservedHandshakes && this.credentials['_equals'](other.credentials);
  }

  override _createSecureConnector(...args: Parameters<ChannelCredentials['_createSecureConnector']>): Connector {
    const connector = this.credentials['_createSecureConnector'](...args);
    return {
      waitForReady: () => connector.waitForReady(),
      connect: async (socket) => {
        try {
          const connected = await connector.connect(socket);
          endsWithItsError(connected.socket);
          this.ended('SUCCESS');
          return connected;
        } catch (error) {
          const result = resultOf(error, socket.errored);
          if (result) this.ended(result);
          throw withPeerNames(error);
        }
      },
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  }
}

/**
 * An alert of the peer after the handshake, such as that of a server which requires a certificate (TLS 1.3), is an error of
 * the socket that does not end it. grpc-js destroys its HTTP/2 session then, but the session leaves the socket open if
 * it is being written to.
 */
function endsWithItsError(socket: Socket): void {
  socket.once('error', () => void socket.destroy());
}

/** @param aborted Why this side has closed the socket. */
function resultOf(error: unknown, aborted: Error | null): HandshakeResult | undefined {
  if (aborted?.name === 'AbortError') return aborted.cause === NOT_NEEDED ? undefined : 'HANDSHAKE_TIMEOUT';
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'string') return handshakeResult(code);
  // Those of Node have a code; one without is of `checkServerIdentity`, such as that of the option `tls.spiffeIds`.
  return error instanceof Error ? 'CERTIFICATE_VERIFICATION_FAILED' : 'UNKNOWN_FAILURE';
}
