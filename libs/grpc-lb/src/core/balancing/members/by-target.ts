import type { Endpoint } from '../../endpoint.js';

/**
 * Merges the lists of several targets into one: endpoints of the first target are used before those of the second, and
 * the priorities within a list (SRV, xDS) come in between. Priorities are renumbered without gaps, so that 0 is the
 * best one of a list. A target without endpoints keeps its place, so that its absence shows.
 */
export function byTarget(lists: readonly (readonly Endpoint[])[]): readonly Endpoint[] {
  if (lists.length === 1 && lists[0]!.every(({ priority = 0 }) => priority === 0)) return lists[0]!;
  let next = 0;
  return lists.flatMap((list) => {
    const ranks = [...new Set(list.map(({ priority = 0 }) => priority))].toSorted((a, b) => a - b);
    const numbers = new Map(ranks.map((rank, i) => [rank, next + i]));
    next += Math.max(1, ranks.length);
    return list.map((endpoint) => ({ ...endpoint, priority: numbers.get(endpoint.priority ?? 0)! }));
  });
}
