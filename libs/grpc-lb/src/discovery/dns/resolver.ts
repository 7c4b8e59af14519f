import { promises as dns } from 'node:dns';

export interface AddressRecord {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

export interface SrvRecord {
  /** The target; empty for the root. */
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Who speaks DNS for a source; `dns.promises.Resolver` of Node is one. */
export interface DnsResolver {
  resolve4(name: string, options: { readonly ttl: true }): Promise<readonly AddressRecord[]>;
  resolve6(name: string, options: { readonly ttl: true }): Promise<readonly AddressRecord[]>;
  resolveSrv(name: string): Promise<readonly SrvRecord[]>;
  /** Each record is a list of strings, to be put together. */
  resolveTxt(name: string): Promise<readonly (readonly string[])[]>;
  /** Ends all that is under way. */
  cancel(): void;
}

/**
 * Makes a resolver for one look-up.
 *
 * @param servers As `10.0.0.2:53`; none means those of this system.
 * @param timeout Milliseconds that the look-up may take.
 */
export type DnsResolverFactory = (servers: readonly string[], timeout: number) => DnsResolver;

/**
 * Node's own. Its wait for a server doubles with each try, so that with a sixth of the time for the first a server that
 * is asked twice, or a second one, still has its turn within the time.
 *
 * A new one for each look-up reads /etc/resolv.conf anew, remembers no answer of the last time, and can be cancelled
 * without regard to others.
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

/** The server has answered, and there is no such name, or no record of that type: true until it says otherwise. */
export function saysNone(error: unknown): boolean {
  const { code } = Object(error) as NodeJS.ErrnoException;
  return code === 'ENOTFOUND' || code === 'ENODATA';
}
