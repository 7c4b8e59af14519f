import { addressToString, type Endpoint } from '../../endpoint.js';

/** The difference between one list of endpoints and the next. */
export interface EndpointDiff<T> {
  readonly added: readonly Endpoint[];
  readonly removed: readonly T[];
}

/** Compares by address. Duplicate addresses: the first wins. */
export function diffEndpoints<T>(current: ReadonlyMap<string, T>, next: readonly Endpoint[]): EndpointDiff<T> {
  const added: Endpoint[] = [];
  const removed: T[] = [];
  const seen = new Set<string>();
  for (const endpoint of next) {
    const key = addressToString(endpoint.address);
    if (!current.has(key) && !seen.has(key)) added.push(endpoint);
    seen.add(key);
  }
  for (const [key, entry] of current) if (!seen.has(key)) removed.push(entry);
  return { added, removed };
}
