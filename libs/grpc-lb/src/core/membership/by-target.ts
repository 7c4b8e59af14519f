import type { Endpoint } from '../endpoint.js';

/**
 * The lists of several targets as one: those of the first are used before those of the second, and the priorities within
 * a list (SRV, xDS) come between. Priorities are numbered anew, without gaps.
 */
export function byTarget(lists: readonly (readonly Endpoint[])[]): readonly Endpoint[] {
  if (lists.length === 1) return lists[0]!;
  let next = 0;
  return lists.flatMap((list) => {
    const ranks = [...new Set(list.map(({ priority = 0 }) => priority))].toSorted((a, b) => a - b);
    const base = next;
    next += ranks.length;
    return list.map((endpoint) => ({ ...endpoint, priority: base + ranks.indexOf(endpoint.priority ?? 0) }));
  });
}
