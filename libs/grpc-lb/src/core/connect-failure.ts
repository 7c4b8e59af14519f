/** What an operator makes of the texts with which OpenSSL, nghttp2 and grpc-js say that both sides speak differently. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [
    /wrong version number|packet length too long/,
    'the client has TLS credentials and the peer speaks no TLS; leave credentials out, or switch TLS on at the peer',
  ],
  [
    /^Failed to connect$/,
    'the peer closed the connection before HTTP/2 began; if it expects TLS, the client needs credentials (credentials.createSsl())',
  ],
  [/^Protocol error$/, 'the peer does not speak HTTP/2; check the port, and whether it is the one for gRPC'],
];

/** Why a connection could not be opened, as an operator can act on it; `error` itself where it says enough. */
export function connectFailure(error: string): string {
  const meaning = MEANINGS.find(([pattern]) => pattern.test(error));
  if (!meaning) return error;
  // OpenSSL's text holds an address of this process and lines of its sources.
  const short = /wrong version number|packet length too long/.exec(error)?.[0] ?? error;
  return `${short}: ${meaning[1]}`;
}
