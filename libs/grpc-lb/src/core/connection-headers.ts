/**
 * RFC 9113, 8.2.2: "An endpoint MUST NOT generate an HTTP/2 message containing connection-specific header fields." Node
 * throws on them, and grpc-js then gives up the connection.
 */
export const CONNECTION_SPECIFIC_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
