/** `dns:host:1`, `dns://authority/host:1`, `static:///10.0.0.1:1`, and without a scheme: one host, perhaps with a port. */
const ONE_HOST = /^(?:(?:dns|dns\+srv|static|ipv4|ipv6):(?:\/\/[^/]*\/)?)?(\[[^\]]+\]|[^/,\s?#:[\]]+)(?::(\d{1,5}))?$/i;
const UNIX = /^unix:(?:\/\/)?(.+)$/i;

/** What `server.address` and `server.port` are of a target. */
export interface ServerAddress {
  readonly 'server.address': string;
  readonly 'server.port'?: number;
}

/**
 * "If the instrumentation cannot determine a server domain name or another suitable low-cardinality identifier for a
 * group of server instances from the target string, it SHOULD set `server.address` to the entire target string and SHOULD
 * NOT set `server.port`" (semantic conventions for gRPC).
 */
export function serverAddressOf(given: string): ServerAddress {
  const target = given.trim();
  const socket = UNIX.exec(target)?.[1];
  if (socket !== undefined) return { 'server.address': socket };
  const [, host, port] = ONE_HOST.exec(target) ?? [];
  if (host === undefined) return { 'server.address': target };
  const address = host.startsWith('[') ? host.slice(1, -1) : host;
  return port === undefined
    ? { 'server.address': address }
    : { 'server.address': address, 'server.port': Number(port) };
}
