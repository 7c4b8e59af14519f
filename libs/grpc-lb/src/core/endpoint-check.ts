import type { Address, Endpoint, Locality } from './endpoint.js';
import { isObject, shown } from './options/validation.js';
import { isPrintable, printable } from './printable.js';

/** The list of a source, without endpoints that no call could use. */
export interface CheckedEndpoints {
  readonly good: readonly Endpoint[];
  readonly dropped: number;
  /** What is wrong with the first dropped endpoint. */
  readonly fault: string | undefined;
}

/** No client needs more; a longer list is a mistake, or an attack on memory and sockets. */
export const MAX_ENDPOINTS = 10_000;
/** Weights in xDS are 32-bit. */
const MAX_WEIGHT = 4_294_967_295;
/** The highest priority in xDS, where the field is at most 128. */
const MAX_PRIORITY = 127;
/** A DNS name has at most 254 characters, the path of a Unix socket about 100, that of a Windows pipe 256. */
const MAX_ADDRESS = 256;
/** Localities are compared and shown; no zone has a name this long. */
const MAX_LOCALITY = 256;

/**
 * Checks data from discovery: drops invalid endpoints and keeps the rest. Copies only known fields: grpc-js passes an
 * address to `net.connect()`, which would also accept `fd` or `localAddress`.
 */
export function checkEndpoints(list: unknown): CheckedEndpoints {
  if (!Array.isArray(list)) return { good: [], dropped: 1, fault: `the list is ${shown(list)}, not an array` };
  const good: Endpoint[] = [];
  let fault: string | undefined;
  for (const endpoint of list as unknown[]) {
    const full = good.length === MAX_ENDPOINTS;
    const found = full ? undefined : faultOf(endpoint);
    if (full) fault ??= `the list has ${list.length} entries; at most ${MAX_ENDPOINTS} endpoints are used`;
    else if (found === undefined) good.push(copyOf(endpoint as Endpoint));
    else fault ??= `${shown(endpoint)} has ${found}`;
    if (good.length === MAX_ENDPOINTS && fault !== undefined) break;
  }
  return { good, dropped: list.length - good.length, fault };
}

function faultOf(endpoint: unknown): string | undefined {
  const { address, weight, priority, locality, degraded } = (isObject(endpoint) ? endpoint : {}) as Partial<
    Record<keyof Endpoint, unknown>
  >;
  if (!isAddress(address)) return 'no address with a host and a port from 1 to 65535, or a path';
  if (!isPrintable(textOf(address), MAX_ADDRESS))
    return `an address of more than ${MAX_ADDRESS} characters, or with control characters`;
  if (weight !== undefined && !isWhole(weight, 1, MAX_WEIGHT))
    return `a weight that is not a whole number from 1 to ${MAX_WEIGHT}`;
  if (priority !== undefined && !isWhole(priority, 0, MAX_PRIORITY))
    return `a priority that is not a whole number from 0 to ${MAX_PRIORITY}`;
  if (locality !== undefined && !isLocality(locality))
    return 'a locality whose region, zone or subZone is not a string';
  if (degraded !== undefined && typeof degraded !== 'boolean') return 'a degraded that is not true or false';
  return undefined;
}

function copyOf({ address, weight, priority, locality, degraded }: Endpoint): Endpoint {
  return {
    address: isPath(address) ? { path: address.path } : { host: address.host, port: address.port },
    ...(weight !== undefined && { weight }),
    ...(priority !== undefined && { priority }),
    ...(locality !== undefined && { locality: localityOf(locality) }),
    ...(degraded !== undefined && { degraded }),
  };
}

function isPath(address: Address): address is Extract<Address, { path: string }> {
  return (address as { readonly path?: string }).path !== undefined;
}

function textOf(address: Address): string {
  return isPath(address) ? address.path : address.host;
}

function localityOf({ region, zone, subZone }: Locality): Locality {
  return {
    ...(region !== undefined && { region: printable(region, MAX_LOCALITY) }),
    ...(zone !== undefined && { zone: printable(zone, MAX_LOCALITY) }),
    ...(subZone !== undefined && { subZone: printable(subZone, MAX_LOCALITY) }),
  };
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isLocality(locality: unknown): boolean {
  if (!isObject(locality)) return false;
  const { region, zone, subZone } = locality as Record<string, unknown>;
  return [region, zone, subZone].every((part) => part === undefined || typeof part === 'string');
}

function isAddress(address: unknown): address is Address {
  if (!isObject(address)) return false;
  const { host, port, path } = address as Partial<Record<'host' | 'port' | 'path', unknown>>;
  if (path !== undefined) return typeof path === 'string' && path !== '';
  return (
    typeof host === 'string' &&
    host !== '' &&
    Number.isInteger(port) &&
    (port as number) >= 1 &&
    (port as number) <= 65_535
  );
}
