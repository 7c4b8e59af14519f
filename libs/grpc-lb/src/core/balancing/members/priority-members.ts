import { addressToString, type Endpoint } from '../../endpoint.js';

/** The endpoints of one priority. */
export interface Level {
  readonly priority: number;
  /** Those in the client's own zone; all of them where zones do not count. */
  readonly own: readonly Endpoint[];
  /** Those elsewhere; empty where zones do not count. */
  readonly others: readonly Endpoint[];
}

/** Which of a group of endpoints a client uses; `group` tells the groups of a list apart. */
export type Choose = (endpoints: readonly Endpoint[], group: string) => readonly Endpoint[];

const all: Choose = (endpoints) => endpoints;

/**
 * A list by priority, best first, and within by zone. Each endpoint appears once, where it is named first. `choose` takes
 * a subset of each group, so that neither a fallback nor a zone loses its part to another.
 */
export function levelsOf(list: readonly Endpoint[], zone: string | undefined, choose: Choose = all): Level[] {
  const byPriority = new Map<number, Endpoint[]>();
  for (const endpoint of unique(list)) {
    const priority = endpoint.priority ?? 0;
    const group = byPriority.get(priority);
    if (group) group.push(endpoint);
    else byPriority.set(priority, [endpoint]);
  }
  const priorities = [...byPriority.keys()].toSorted((a, b) => a - b);
  return priorities.map((priority) => {
    const group = byPriority.get(priority)!;
    const own = zone === undefined ? group : group.filter(({ locality }) => locality?.zone === zone);
    // Where nobody is in the own zone, there is nothing to prefer.
    if (own.length === 0 || own.length === group.length)
      return { priority, own: choose(group, `${priority}`), others: [] };
    const others = group.filter(({ locality }) => locality?.zone !== zone);
    return { priority, own: choose(own, `${priority} own`), others: choose(others, `${priority} others`) };
  });
}

/** Of two endpoints with one address that of the better priority counts, then the first. */
function unique(list: readonly Endpoint[]): Iterable<Endpoint> {
  const byKey = new Map<string, Endpoint>();
  for (const endpoint of list) {
    const key = addressToString(endpoint.address);
    const twin = byKey.get(key);
    if (twin === undefined || (endpoint.priority ?? 0) < (twin.priority ?? 0)) byKey.set(key, endpoint);
  }
  return byKey.values();
}
