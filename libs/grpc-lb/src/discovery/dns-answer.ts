import { isIP } from 'node:net';
import type { Endpoint } from '../core/endpoint.js';

/** One address as `dns.lookup` gives it. */
export interface LookupAddress {
  readonly address: string;
  readonly family: number;
}

/**
 * The endpoints of an answer: each address once, in an order that does not change from one answer to the next.
 *
 * DNS servers rotate their records so that clients which take the first spread out. Here it would make `pick_first`
 * move at each look-up for no reason, and snapshots and differences jump about; so addresses are sorted. But the
 * family that the resolver put first stays first: it knows what this host can reach (RFC 6724), and an IPv6 address
 * on a host without IPv6 must not become everybody's first choice.
 */
export function toEndpoints(answer: readonly LookupAddress[], port: number): Endpoint[] {
  const hosts = [...new Set(answer.map(({ address }) => address))];
  const first = isIP(hosts[0] ?? '');
  hosts.sort((a, b) => Number(isIP(b) === first) - Number(isIP(a) === first) || (a < b ? -1 : 1));
  return hosts.map((host) => ({ address: { host, port } }));
}
