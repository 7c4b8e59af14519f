import type { Fault } from '../core/errors.js';
import { type Check, shown } from '../core/options/validation.js';
import { checkTarget } from '../grpc/channel/check-target.js';
import type { GrpcLbClientOptions } from './client-options.js';

/**
 * The one target of a client. Several addresses in `url` are one static list; a single address is the target itself.
 */
export function targetOf({ target, url }: GrpcLbClientOptions): string | undefined {
  return target ?? (typeof url === 'string' || url === undefined ? url : joined(url));
}

function joined(addresses: readonly string[]): string {
  return addresses.length === 1 ? addresses[0]! : `static:///${addresses.join(',')}`;
}

/** `dns:///orders:50051` is a target, `orders:50051` and `unix:/run/orders.sock` are addresses. */
const TARGET = /^(?!unix:)[a-z][a-z0-9+.-]*:(?!\d*$)/i;

/** Several addresses in `url`, each with its place in the list. */
export const addressList: Check = (path, value, faults) => {
  const list = value as readonly unknown[];
  const found: Fault[] = list.flatMap((address, i) => {
    const fault = (rest: string): Fault => ({ path: `${path}[${i}]`, message: `is ${shown(address)}${rest}` });
    if (typeof address !== 'string' || address.trim() === '') return fault('; use an address, as in "orders:50051"');
    if (address.includes(',')) return fault('; list each address as its own item');
    if (list.length > 1 && TARGET.test(address.trim().split(';')[0]!))
      return fault(', which is a target, not an address; for several targets by priority write targets: [...]');
    return [];
  });
  if (list.length === 0)
    found.push({ path, message: 'is an empty list; list at least one address, as in ["orders:50051"]' });
  if (found.length === 0) {
    for (const fault of checkTarget(joined(list as string[])))
      found.push({
        ...fault,
        path: fault.path.replace(/^address (\d+)$/, (_, n: string) => `${path}[${Number(n) - 1}]`),
      });
  }
  faults.push(...found);
};
