import { promises as dns } from 'node:dns';

/** An A or AAAA record. */
export interface AddressRecord {
  /** The IP address. */
  readonly address: string;
  /** Time to live in seconds. */
  readonly ttl: number;
}

/** An SRV record (RFC 2782). */
export interface SrvRecord {
  /** The target; empty for the root. */
  readonly name: string;
  /** The port of the target. */
  readonly port: number;
  /** Lower values are used first. */
  readonly priority: number;
  /** Relative share among the records of one priority. */
  readonly weight: number;
}

/** Asks DNS servers for a source; `dns.promises.Resolver` of Node is one. */
export interface DnsResolver {
  /** The A records of a name. */
  resolve4(name: string, options: { readonly ttl: true }): Promise<readonly AddressRecord[]>;
  /** The AAAA records of a name. */
  resolve6(name: string, options: { readonly ttl: true }): Promise<readonly AddressRecord[]>;
  /** The SRV records of a name. */
  resolveSrv(name: string): Promise<readonly SrvRecord[]>;
  /** The TXT records of a name; each is a list of strings that are concatenated. */
  resolveTxt(name: string): Promise<readonly (readonly string[])[]>;
  /** Cancels all queries in progress. */
  cancel(): void;
}

/**
 * Creates a resolver for one lookup.
 *
 * @param servers As `10.0.0.2:53`; an empty list means the servers of this system.
 * @param timeout Timeout of the lookup in milliseconds.
 */
export type DnsResolverFactory = (servers: readonly string[], timeout: number) => DnsResolver;

/**
 * Node's own. Its timeout for a server doubles with each try, so the first gets a sixth of the time: then a second try,
 * or a second server, still fits.
 *
 * A new one for each lookup reads /etc/resolv.conf again, caches no earlier answer, and can be canceled without
 * affecting others.
 */
export const nodeResolver: DnsResolverFactory = (servers, timeout) => {
  const resolver = new dns.Resolver({ timeout: Math.ceil(timeout / 6), tries: 3 });
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
};

/** A resolver that ends with the signal. */
export function resolverUntil(
  signal: AbortSignal,
  make: DnsResolverFactory,
  servers: readonly string[],
  timeout: number,
): DnsResolver {
  const resolver = make(servers, timeout);
  signal.addEventListener('abort', () => resolver.cancel(), { once: true });
  return resolver;
}

/** The server answered that the name, or a record of that type, does not exist: final until the next answer. */
export function saysNone(error: unknown): boolean {
  const { code } = Object(error) as NodeJS.ErrnoException;
  return code === 'ENOTFOUND' || code === 'ENODATA';
}
