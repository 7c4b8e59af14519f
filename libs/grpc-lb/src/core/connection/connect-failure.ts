/**
 * Maps the messages with which OpenSSL, nghttp2 and grpc-js report a protocol mismatch to explanations for operators.
 */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [
    /wrong version number|packet length too long/,
    'the client uses TLS, but the peer does not; remove credentials, or enable TLS at the peer',
  ],
  [
    /^Failed to connect$/,
    'the peer closed the connection before HTTP/2 started; if it expects TLS, give the client credentials: credentials.createSsl()',
  ],
  [/^Protocol error$/, 'the peer does not speak HTTP/2; check that the port is the gRPC port'],
];

/** Why a connection could not be opened, in terms an operator can act on; `error` itself if it is clear enough. */
export function connectFailure(error: string): string {
  const meaning = MEANINGS.find(([pattern]) => pattern.test(error));
  if (!meaning) return error;
  // OpenSSL's message contains an address in this process and source lines.
  const short = /wrong version number|packet length too long/.exec(error)?.[0] ?? error;
  return `${short}: ${meaning[1]}`;
}
