import { promises as dns } from 'node:dns';
import type { LookupAddress } from './addresses.js';

/** Looks up the addresses of a name; `dns.promises.lookup` of Node is one. */
export type DnsLookup = (
  hostname: string,
  options: { readonly all: true; readonly order: 'verbatim' },
) => Promise<readonly LookupAddress[]>;

const underWay = new Map<string, ReturnType<DnsLookup>>();

/**
 * Asks the system's resolver, at most once at a time for each name. Node runs lookups in threads, two at a time, and
 * cannot cancel them: while name servers are gone, a lookup may take longer than a source waits, and new ones would
 * pile up behind it, to be worked off when the servers are back, or when the process wants to end. Lookups in the
 * meantime share the same answer.
 */
export const systemLookup: DnsLookup = (hostname, options) => {
  const known = underWay.get(hostname);
  if (known) return known;
  // Resolved at the call, so that instrumentation of `dns.promises` takes effect.
  const lookup = dns.lookup(hostname, options).finally(() => underWay.delete(hostname));
  underWay.set(hostname, lookup);
  return lookup;
};
