import { addressToString, type Endpoint } from '../../endpoint.js';

/** The endpoints of one priority, either as discovery lists them or as they are kept connected. */
export interface PriorityMembers<E> {
  readonly priority: number;
  /** Endpoints in the local zone; all endpoints if zones are ignored. */
  readonly localZone: readonly E[];
  /** Endpoints in other zones; empty if zones are ignored. */
  readonly otherZones: readonly E[];
}

/** Chooses the endpoints of a group that a client uses; `group` identifies the group within a list. */
export type Choose = (endpoints: readonly Endpoint[], group: string) => readonly Endpoint[];

const all: Choose = (endpoints) => endpoints;

/**
 * Splits endpoints by priority, best first, and each priority by zone. `choose` takes a subset of each group separately,
 * so that a fallback or a zone always keeps its part.
 */
export function byPriority(
  list: Iterable<Endpoint>,
  zone: string | undefined,
  choose: Choose = all,
): PriorityMembers<Endpoint>[] {
  const groups = new Map<number, Endpoint[]>();
  for (const endpoint of list) {
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

/** The endpoints of a list by address. Duplicate addresses: the better priority wins, then the first. */
export function byAddress(list: readonly Endpoint[]): ReadonlyMap<string, Endpoint> {
  const byKey = new Map<string, Endpoint>();
  for (const endpoint of list) {
    const key = addressToString(endpoint.address);
    const twin = byKey.get(key);
    if (twin === undefined || (endpoint.priority ?? 0) < (twin.priority ?? 0)) byKey.set(key, endpoint);
  }
  return byKey;
}
