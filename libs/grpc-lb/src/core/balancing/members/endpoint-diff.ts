import { addressToString, type Endpoint } from '../../endpoint.js';

/** The difference between one list of endpoints and the next. */
export interface EndpointDiff<T> {
  readonly added: readonly Endpoint[];
  /** Endpoints that stay, each with the object that belongs to it, which is not rebuilt. */
  readonly kept: readonly (readonly [T, Endpoint])[];
  readonly removed: readonly T[];
}

/** Compares by address. Duplicate addresses: the first wins. */
export function diffEndpoints<T>(current: ReadonlyMap<string, T>, next: readonly Endpoint[]): EndpointDiff<T> {
  const added: Endpoint[] = [];
  const kept: (readonly [T, Endpoint])[] = [];
  const seen = new Set<string>();
  for (const endpoint of next) {
    const key = addressToString(endpoint.address);
    if (seen.has(key)) continue;
    seen.add(key);
    const existing = current.get(key);
    if (existing === undefined) added.push(endpoint);
    else kept.push([existing, endpoint]);
  }
  const removed = [...current].filter(([key]) => !seen.has(key)).map(([, entry]) => entry);
  return { added, kept, removed };
}
