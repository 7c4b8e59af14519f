import type net from 'node:net';
import { handshakeResult, type HandshakeResult } from '../../core/connection/handshake-result.js';

/** Is told of the handshakes at a port. */
export interface HandshakeObserver {
  /** A handshake has ended. */
  ended(result: HandshakeResult): void;
  /** It has failed: with whom, and why. */
  refused(peer: string, fault: string): void;
}

/** What is needed of a TLSSocket whose handshake has failed. */
export interface FailedSocket {
  /** The code of OpenSSL with which the certificate of the client was not accepted. */
  readonly authorizationError?: unknown;
  readonly bytesRead: number;
}

/** Where Node keeps the socket below a TLSSocket; read defensively. */
const RAW = '_parent';

/**
 * Reports the handshakes at a port. Node tells a server why it does not accept the certificate of a client only beside
 * the error, as the state of the socket. A connection that only looks whether the port is open makes no handshake.
 */
export function watchHandshakes(port: net.Server, observer: HandshakeObserver): void {
  // A socket that is closed does not know its peer any more, unless it was asked before.
  const peers = new WeakMap<object, string>();
  port.prependListener('connection', (socket: net.Socket) => {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress !== undefined) peers.set(socket, `${hostOf(remoteAddress)}:${remotePort}`);
  });
  port.on('secureConnection', () => observer.ended('SUCCESS'));
  port.on('tlsClientError', (error: NodeJS.ErrnoException, socket: FailedSocket & { readonly [RAW]?: object }) => {
    const fault = handshakeFault(error, socket);
    if (fault === undefined) return;
    observer.ended(handshakeResult(verificationCode(socket) ?? error.code ?? ''));
    observer.refused(peers.get(socket[RAW] ?? socket) ?? 'unknown', fault);
  });
}

function hostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** The errors of OpenSSL that have a better text than their own. */
const FAULTS: Readonly<Record<string, string>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    'it shows no certificate, and tls.clientCertificates is require; set cert and key at the client',
  ERR_SSL_HTTP_REQUEST: 'it does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; set tls at the client',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it has no version of TLS from tls.minVersion on',
  ERR_SSL_NO_SHARED_CIPHER: 'it has no cipher in common with this server',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not trust the CA of this server; add that CA at the client',
  ERR_SSL_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not trust the CA of this server; add that CA at the client',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it does not accept the certificate of this server',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'it does not accept the certificate of this server',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'the certificate of this server has expired, says the client',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'it did not finish the handshake in time',
};

/** With which code of OpenSSL the certificate of the client was not accepted; undefined if that is not why. */
function verificationCode({ authorizationError }: FailedSocket): string | undefined {
  if (typeof authorizationError === 'string') return authorizationError;
  if (!(authorizationError instanceof Error)) return undefined;
  return String((authorizationError as { code?: string }).code ?? authorizationError);
}

/** Why a handshake has failed; undefined if the peer has only looked whether the port is open. */
function handshakeFault(error: NodeJS.ErrnoException, socket: FailedSocket): string | undefined {
  const code = verificationCode(socket);
  if (code !== undefined) return `its certificate is not accepted: ${certificateFault(code)}`;
  const known = FAULTS[error.code ?? ''];
  if (known !== undefined) return known;
  if (error.code === 'ECONNRESET')
    return socket.bytesRead === 0 ? undefined : 'it closed the connection during the handshake';
  return error.message;
}

function certificateFault(code: string): string {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'it has expired';
    case 'CERT_NOT_YET_VALID':
      return 'it is not valid yet';
    default:
      return `${code}; is the CA that issues it in tls.ca?`;
  }
}
