import { isIP } from 'node:net';
import { type Address, addressToString } from '../../core/endpoint.js';
import type { DoctorCode } from '../codes.js';
import type { Site } from '../site.js';

/** An endpoint to which no connection could be opened. */
export interface Unreached {
  readonly endpoint: Address;
  /** The code of Node, or `timeout`. */
  readonly code: string;
  readonly message: string;
}

/** Judges all failures to connect together: if one family of addresses fails and the other does not, that is the cause. */
export function examineReachability(
  { exam }: Site,
  unreached: readonly Unreached[],
  reached: readonly Address[],
): void {
  const lost = new Set(unreached.map(({ endpoint }) => familyOf(endpoint)));
  const good = new Set(reached.map(familyOf));
  const [only] = lost;
  const byFamily = lost.size === 1 && only !== 0 && good.size > 0 && !good.has(only!) && !good.has(0);
  for (const { endpoint, code, message } of unreached) {
    const address = addressToString(endpoint);
    if (byFamily) {
      const evidence = `IPv${only} fails where IPv${only === 4 ? 6 : 4} works: ${address}: ${message}`;
      exam.find('address-families', 'address-family-unreachable', { address, evidence });
    } else exam.find('connection', faultOf(code), { address, evidence: `${address}: ${message}` });
  }
  if (new Set([...lost, ...good]).size > 1) exam.pass('address-families', 'IPv4 and IPv6 are reachable');
  else if (lost.size + good.size === 0) exam.skip('address-families', 'no endpoint was examined');
  else exam.skip('address-families', 'the endpoints have addresses of one family');
}

/** 0: a name, or a Unix socket. */
const familyOf = (address: Address): number => ('host' in address ? isIP(address.host) : 0);

function faultOf(code: string): DoctorCode {
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'port-closed';
  return code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'name-not-found' : 'address-unreachable';
}
