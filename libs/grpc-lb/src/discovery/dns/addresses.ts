import { isIP } from 'node:net';
import { isObject, shown } from '../../core/options/validation.js';

/**
 * More than fit into one DNS message (65535 bytes, 16 for each address): there must be something wrong with the rest.
 */
export const MAX_ADDRESSES = 4096;

/** One address as `dns.lookup` of Node returns it. */
export interface LookupAddress {
  /** The IP address. */
  readonly address: string;
  /** 4 or 6. */
  readonly family: number;
}

export interface Addresses {
  readonly hosts: readonly string[];
  /** The faults of the rest. */
  readonly warnings: readonly string[];
}

/**
 * The addresses of an answer: each once, in an order that does not change from one answer to the next.
 *
 * DNS servers rotate their records so that clients that take the first spread out. Here it would make `pick_first` move
 * at each lookup for no reason, and snapshots and differences jump about; so addresses are sorted. But the family that
 * the resolver put first stays first: it knows what this host can reach (RFC 6724), and an IPv6 address on a host
 * without IPv6 must not become the first choice of all clients.
 *
 * An answer is external data: invalid addresses are ignored, and so are those beyond the limit.
 *
 * @param name Used in warnings.
 */
export function readAddresses(answer: unknown, name: string): Addresses {
  if (!Array.isArray(answer)) throw new Error(`the answer is ${shown(answer)}, not a list of addresses`);
  const warnings: string[] = [];
  if (answer.length > MAX_ADDRESSES) {
    warnings.push(`"${name}" has more than ${MAX_ADDRESSES} addresses; the first ${MAX_ADDRESSES} are used`);
  }
  const addresses = answer.slice(0, MAX_ADDRESSES).map(addressOf);
  const wrong = addresses.findIndex((address) => address === undefined);
  if (wrong >= 0) warnings.push(`"${name}" has an invalid address, which is ignored: ${shown(answer[wrong])}`);
  return { hosts: sorted(addresses.filter((address) => address !== undefined)), warnings };
}

function addressOf(record: unknown): string | undefined {
  const { address } = (isObject(record) ? record : {}) as { readonly address?: unknown };
  return typeof address === 'string' && isIP(address) > 0 ? address : undefined;
}

function sorted(addresses: readonly string[]): string[] {
  const hosts = [...new Set(addresses)];
  const first = isIP(hosts[0] ?? '');
  return hosts.toSorted((a, b) => Number(isIP(b) === first) - Number(isIP(a) === first) || (a < b ? -1 : 1));
}
