import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { FleetTls } from './fleet-tls.js';
import { TappedSocket } from './tapped-socket.js';

/**
 * A connection with TLS: it shows its server what clients send in plaintext, and is held and cut below TLS, where a
 * network fails.
 */
export class SecuredSocket extends TappedSocket {
  readonly #wire: TappedSocket;

  constructor(socket: Socket, { context, mutual }: FleetTls, onSettled: () => void) {
    const wire = new TappedSocket(socket, () => {});
    const secure = new TLSSocket(wire, {
      isServer: true,
      secureContext: context,
      requestCert: mutual,
      rejectUnauthorized: mutual,
      ALPNProtocols: ['h2'],
    });
    // Without a server of node:tls, OpenSSL refuses a client without a certificate, but nothing acts on one it rejects.
    if (mutual) secure.once('secure', () => void (verifyErrorOf(secure) && secure.destroy()));
    super(secure, onSettled);
    this.#wire = wire;
  }

  override get speaksTls(): boolean | undefined {
    return this.#wire.speaksTls;
  }

  override hold(): void {
    this.#wire.hold();
  }

  override release(): void {
    this.#wire.release();
  }

  override cut(): void {
    this.#wire.cut();
    super.cut();
  }
}

/** Why OpenSSL rejects the certificate of the client: what a server of node:tls reads of its sockets, too. */
function verifyErrorOf(socket: TLSSocket): Error | null | undefined {
  const { _handle: handle } = socket as unknown as { _handle: { verifyError(): Error | null | undefined } | null };
  return handle?.verifyError();
}
