import type { Endpoint } from './endpoint.js';
import { isObject, shown } from './options/validation.js';

/** What a source has delivered, without what no call could use. */
export interface CheckedEndpoints {
  readonly good: readonly Endpoint[];
  readonly dropped: number;
  /** What is wrong with the first that was dropped. */
  readonly fault: string | undefined;
}

/** No client needs more at once; a list that is longer is a mistake, or an attack on memory and sockets. */
export const MAX_ENDPOINTS = 10_000;
/** Weights in xDS are of 32 bits. */
const MAX_WEIGHT = 4_294_967_295;
/** Priorities in xDS, where the field is at most 128. */
const MAX_PRIORITY = 127;

/** Discovery is foreign data: what is no endpoint is dropped, and the rest goes on. */
export function checkEndpoints(list: unknown): CheckedEndpoints {
  if (!Array.isArray(list)) return { good: [], dropped: 1, fault: `the list is ${shown(list)}, no array` };
  const good: Endpoint[] = [];
  let fault: string | undefined;
  for (const endpoint of list as unknown[]) {
    const full = good.length === MAX_ENDPOINTS;
    const found = full ? undefined : faultOf(endpoint);
    if (full) fault ??= `the list has ${list.length} entries, and no more than ${MAX_ENDPOINTS} endpoints are used`;
    else if (found === undefined) good.push(endpoint as Endpoint);
    else fault ??= `${shown(endpoint)} has ${found}`;
    if (good.length === MAX_ENDPOINTS && fault !== undefined) break;
  }
  return { good, dropped: list.length - good.length, fault };
}

function faultOf(endpoint: unknown): string | undefined {
  const { address, weight, priority, locality } = (isObject(endpoint) ? endpoint : {}) as Partial<
    Record<keyof Endpoint, unknown>
  >;
  if (!isAddress(address)) return 'no address with a host and a port from 1 to 65535, or a path';
  if (weight !== undefined && !isWhole(weight, 1, MAX_WEIGHT))
    return `a weight that is no whole number from 1 to ${MAX_WEIGHT}`;
  if (priority !== undefined && !isWhole(priority, 0, MAX_PRIORITY))
    return `a priority that is no whole number from 0 to ${MAX_PRIORITY}`;
  if (locality !== undefined && !isLocality(locality)) return 'a locality whose region, zone or subZone is no text';
  return undefined;
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isLocality(locality: unknown): boolean {
  if (!isObject(locality)) return false;
  const { region, zone, subZone } = locality as Record<string, unknown>;
  return [region, zone, subZone].every((part) => part === undefined || typeof part === 'string');
}

function isAddress(address: unknown): boolean {
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
