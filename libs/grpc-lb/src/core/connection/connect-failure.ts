import { printable } from '../printable.js';

type Meaning = readonly [pattern: RegExp, meaning: string];

const WRONG_VERSION = /wrong version number|packet length too long/;

/**
 * Maps the messages with which OpenSSL, nghttp2 and grpc-js report a mismatch to explanations for operators. Names in
 * them are those of the options of a client.
 */
const MEANINGS: readonly Meaning[] = [
  [WRONG_VERSION, 'the client uses TLS, but the peer does not; enable TLS at the peer, or correct the port'],
  [/^Protocol error$/, 'the peer does not speak HTTP/2; check that the port is the gRPC port'],
  [
    /altnames/,
    'the certificate of the peer is for other names; issue one that has the name, or set tls.serverName to one that it has',
  ],
  [
    /certificate has expired/,
    'the certificate of the peer, or of its CA, has expired; renew it there, or check the clock of this machine',
  ],
  [/certificate is not yet valid/, 'check the clocks of the peer and of this machine'],
  [
    /unable to verify the first certificate|self-signed certificate|unable to get (?:local )?issuer certificate/,
    'the certificate of the peer is of a CA that this client does not trust; add that CA to tls.ca, or let the peer send the certificates between its own and the root',
  ],
  [/alert certificate required/, 'the peer requires a certificate of this client; set tls.cert and tls.key'],
  [
    /alert (?:unknown ca|bad certificate|unsupported certificate|certificate (?:unknown|expired|revoked)|access denied)/,
    'the peer does not accept the certificate of this client; check tls.cert, and which CAs the peer trusts',
  ],
  [
    /alert handshake failure/,
    'the peer refuses the handshake; it may require a certificate of this client (tls.cert), or have no cipher in common with it',
  ],
  [
    /alert protocol version|unsupported protocol/,
    'client and peer allow no common version of TLS; check tls.minVersion',
  ],
  [
    /socket disconnected before secure TLS connection/,
    'the peer closed the connection in the TLS handshake; if it verifies clients, it may not accept the certificate of this one',
  ],
];

const CLOSED_PLAIN =
  'the peer closed the connection before HTTP/2 started; if it expects TLS, give the client tls: {}, or credentials: credentials.createSsl()';
const CLOSED_SECURE =
  'the peer closed the connection after the TLS handshake; if it verifies clients, it may not accept the certificate of this one; check tls.cert, and which CAs the peer trusts';

const RESET_SECURE = CLOSED_SECURE.replace('closed', 'reset').replace('after', 'in or after');
/** With TLS 1.3 a server verifies its client last, and Node then ends the connection without an alert. */
const RESET = /^(?:read|write) (?:ECONNRESET|EPIPE)$/;

/** OpenSSL's own words in one of its messages, between an address in this process and lines of its source. */
const OPENSSL = /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/;

/**
 * Why a connection could not be opened, in terms an operator can act on; `error` itself if it is clear enough.
 *
 * @param secure Whether the client uses TLS.
 */
export function connectFailure(error: string, secure = false): string {
  const plain = OPENSSL.exec(error)?.[1] ?? error;
  if (/^Failed to connect$/.test(plain)) return `${plain}: ${secure ? CLOSED_SECURE : CLOSED_PLAIN}`;
  if (secure && RESET.test(plain)) return `${plain}: ${RESET_SECURE}`;
  const meaning = MEANINGS.find(([pattern]) => pattern.test(plain));
  if (!meaning) return plain;
  return `${WRONG_VERSION.exec(plain)?.[0] ?? printable(plain, MAX_QUOTE)}: ${meaning[1]}`;
}

/** A certificate may have thousands of names; all of them would displace what they mean. */
const MAX_QUOTE = 200;
