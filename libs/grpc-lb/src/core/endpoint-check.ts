import type { Endpoint } from './endpoint.js';
import { isObject, shown } from './options/validation.js';

/** What a source has delivered, without what no call could use. */
export interface CheckedEndpoints {
  readonly good: readonly Endpoint[];
  readonly dropped: number;
  /** What is wrong with the first that was dropped. */
  readonly fault: string | undefined;
}

/** Discovery is foreign data: what is no endpoint is dropped, and the rest goes on. */
export function checkEndpoints(list: unknown): CheckedEndpoints {
  if (!Array.isArray(list)) return { good: [], dropped: 1, fault: `the list is ${shown(list)}, no array` };
  const faults = list.map((endpoint: unknown) => faultOf(endpoint));
  return {
    good: list.filter((_, i) => faults[i] === undefined) as Endpoint[],
    dropped: faults.filter((fault) => fault !== undefined).length,
    fault: faults.find((fault) => fault !== undefined),
  };
}

function faultOf(endpoint: unknown): string | undefined {
  const { address, weight = 1 } = (isObject(endpoint) ? endpoint : {}) as Partial<Record<keyof Endpoint, unknown>>;
  if (!isAddress(address)) return `${shown(endpoint)} has no address with a host and a port from 1 to 65535, or a path`;
  if (Number.isInteger(weight) && (weight as number) >= 1) return undefined;
  return `${shown(endpoint)} has a weight that is no whole number from 1`;
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
