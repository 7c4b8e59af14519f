import { addressToString, type Endpoint } from '../../endpoint.js';

/** The endpoints of one priority, as discovery names them or as they are kept connected. */
export interface PriorityMembers<E> {
  readonly priority: number;
  /** Those in the local zone; all of them where zones do not count. */
  readonly localZone: readonly E[];
  /** Those elsewhere; empty where zones do not count. */
  readonly otherZones: readonly E[];
}

/** Which of a group of endpoints a client uses; `group` tells the groups of a list apart. */
export type Choose = (endpoints: readonly Endpoint[], group: string) => readonly Endpoint[];

const all: Choose = (endpoints) => endpoints;

/**
 * A list by priority, best first, and within by zone. Each endpoint appears once, where it is named first. `choose` takes
 * a subset of each group, so that neither a fallback nor a zone loses its part to another.
 */
export function byPriority(
  list: readonly Endpoint[],
  zone: string | undefined,
  choose: Choose = all,
): PriorityMembers<Endpoint>[] {
  const groups = new Map<number, Endpoint[]>();
  for (const endpoint of unique(list)) {
    const priority = endpoint.priority ?? 0;
    const group = groups.get(priority);
    if (group) group.push(endpoint);
    else groups.set(priority, [endpoint]);
  }
  const priorities = [...groups.keys()].toSorted((a, b) => a - b);
  return priorities.map((priority) => {
    const group = groups.get(priority)!;
    const local = zone === undefined ? group : group.filter(({ locality }) => locality?.zone === zone);
    // Without endpoints in the local zone there is nothing to prefer.
    if (local.length === 0 || local.length === group.length)
      return { priority, localZone: choose(group, `${priority}`), otherZones: [] };
    const others = group.filter(({ locality }) => locality?.zone !== zone);
    return {
      priority,
      localZone: choose(local, `${priority} local`),
      otherZones: choose(others, `${priority} others`),
    };
  });
}

/** Duplicate addresses: the better priority wins, then the first. */
function unique(list: readonly Endpoint[]): Iterable<Endpoint> {
  const byKey = new Map<string, Endpoint>();
  for (const endpoint of list) {
    const key = addressToString(endpoint.address);
    const twin = byKey.get(key);
    if (twin === undefined || (endpoint.priority ?? 0) < (twin.priority ?? 0)) byKey.set(key, endpoint);
  }
  return byKey.values();
}
