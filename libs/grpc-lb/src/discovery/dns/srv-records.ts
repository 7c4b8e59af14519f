import { addressToString, type Endpoint, type TcpAddress } from '../../core/endpoint.js';
import type { Fault } from '../../core/errors.js';
import { isObject, shown } from '../../core/options/validation.js';
import { readHostPort } from '../host-port.js';
import { MAX_ADDRESSES } from './addresses.js';

/** Each target is another name to look up; for more backends A records are better. */
export const MAX_TARGETS = 1000;
/** The lowest priority that a client supports, as in xDS. */
const MAX_PRIORITY = 127;

/** One valid SRV record. */
export interface SrvTarget {
  readonly address: TcpAddress;
  readonly priority: number;
  readonly weight: number;
}

export interface SrvTargets {
  /** The best first: by priority, then by weight, and always in the same order. */
  readonly targets: readonly SrvTarget[];
  /** RFC 2782: "A Target of "." means that the service is decidedly not available at this domain." */
  readonly unavailable: boolean;
  readonly warnings: readonly string[];
}

/** External data: invalid records are ignored, and so are those beyond the bound. */
export function readSrvRecords(answer: unknown, name: string): SrvTargets {
  if (!Array.isArray(answer)) throw new Error(`the answer is ${shown(answer)}, not a list of SRV records`);
  // Records beyond the maximum of one DNS message are not even examined.
  const records = answer.slice(0, MAX_ADDRESSES).filter((record) => !isRoot(record));
  const warnings: string[] = [];
  const sound = records.flatMap((record) => targetOf(record) ?? []);
  const targets = onceEach(sound.toSorted(bestFirst));
  if (sound.length < records.length) {
    const wrong: unknown = records.find((record) => targetOf(record) === undefined);
    warnings.push(`"${name}" has an invalid SRV record, which is ignored: ${shown(wrong)}`);
  }
  if (targets.length > MAX_TARGETS) {
    warnings.push(`"${name}" has more than ${MAX_TARGETS} SRV records; the best ${MAX_TARGETS} are used`);
  }
  return {
    targets: targets.slice(0, MAX_TARGETS),
    unavailable: answer.length > 0 && records.length === 0,
    warnings,
  };
}

/** Of several records with one target and port the best counts. */
function onceEach(targets: readonly SrvTarget[]): SrvTarget[] {
  const first = new Map<string, SrvTarget>();
  for (const target of targets) {
    const key = addressToString(target.address);
    if (!first.has(key)) first.set(key, target);
  }
  return [...first.values()];
}

function isRoot(record: unknown): boolean {
  const { name } = Object(record) as { readonly name?: unknown };
  return name === '' || name === '.';
}

function targetOf(record: unknown): SrvTarget | undefined {
  const { name, port, priority, weight } = (isObject(record) ? record : {}) as Record<string, unknown>;
  if (typeof name !== 'string' || name.length > 254 || !isShort(port) || !isShort(priority) || !isShort(weight)) {
    return undefined;
  }
  const faults: Fault[] = [];
  // A name may end in a dot; that does not change its meaning.
  const bare = name.replace(/\.$/, '');
  const address = readHostPort('target', `${bare.includes(':') ? `[${bare}]` : bare}:${port}`, faults);
  return address && { address, priority, weight };
}

/** 16 bits, as all numbers of an SRV record. */
function isShort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535;
}

function bestFirst(a: SrvTarget, b: SrvTarget): number {
  const [x, y] = [addressToString(a.address), addressToString(b.address)];
  return a.priority - b.priority || b.weight - a.weight || (x < y ? -1 : Number(x > y));
}

/**
 * The endpoints of targets whose addresses are known. Priorities become ranks, 0 for the lowest; the addresses of a
 * target share its weight, because RFC 2782 assigns it to the target. A duplicate of an address and port keeps its best
 * place.
 */
export function srvEndpoints(
  targets: readonly SrvTarget[],
  hostsOf: (name: string) => readonly string[],
): { readonly endpoints: readonly Endpoint[]; readonly tooMany: boolean } {
  const found = new Map<string, { address: TcpAddress; priority: number; weight: number; among: number }>();
  let tooMany = false;
  for (const { address, priority, weight } of targets) {
    if (tooMany) break;
    const hosts = hostsOf(address.host);
    for (const host of hosts) {
      const endpoint = { address: { host, port: address.port }, priority, weight, among: hosts.length };
      const key = addressToString(endpoint.address);
      if (found.has(key)) continue;
      tooMany = found.size === MAX_ADDRESSES;
      // A thousand targets with a thousand addresses each would take seconds to process.
      if (tooMany) break;
      found.set(key, endpoint);
    }
  }
  const all = [...found.values()];
  const ranks = [...new Set(all.map(({ priority }) => priority))].toSorted((a, b) => a - b);
  const rankOf = new Map(ranks.map((priority, rank) => [priority, Math.min(rank, MAX_PRIORITY)]));
  const unit = commonMultiple(all.map(({ among }) => among));
  const endpoints = all.map(({ address, priority, weight, among }): Endpoint => ({
    address,
    // Weight 0 is the minimum of a record; that of an endpoint is 1.
    weight: Math.max(1, Math.round((Math.max(1, weight) * unit) / among)),
    priority: rankOf.get(priority)!,
  }));
  return { endpoints, tooMany };
}

/** The least common multiple, as long as it leaves room for a 16-bit weight in 32 bits. */
function commonMultiple(numbers: readonly number[]): number {
  let multiple = 1;
  for (const n of new Set(numbers)) multiple = Math.min(65_536, (multiple / greatestDivisor(multiple, n)) * n);
  return multiple;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
