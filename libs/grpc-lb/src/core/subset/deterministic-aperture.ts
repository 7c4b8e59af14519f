import type { Ranked } from './ranked.js';

/**
 * The endpoints lie on a ring, the same for all clients, and so do the clients, at even distances: each takes the
 * `size` endpoints from its own position on (Finagle's deterministic aperture, with a fixed width).
 *
 * So the numbers of connections per endpoint differ by one at most. The client at `index` begins at endpoint
 * `floor(index * n / clients)`; an endpoint `e` is within `size` of those beginnings for which `index * n / clients` is
 * in `[e - size + 1, e + 1)`, modulo the ring: as many as there are whole numbers in an interval of `size * clients /
 * n`.
 */
export function deterministicAperture(
  ranked: readonly Ranked[],
  size: number,
  clients: number,
  index: number,
): readonly Ranked[] {
  const { length } = ranked;
  if (length <= size) return ranked;
  const from = Math.floor((index * length) / clients);
  const beyond = from + size - length;
  return beyond <= 0 ? ranked.slice(from, from + size) : [...ranked.slice(from), ...ranked.slice(0, beyond)];
}
