import type { StreamHost } from './placed-stream.js';

/** One stream may go from one endpoint to another. */
export interface Relocation<E> {
  readonly from: E;
  readonly to: E;
}

/** How full an endpoint with slow start or failures is if it holds this many streams. */
export function levelOf({ weight, warmth, failureFactor }: StreamHost, streams: number): number {
  return (streams * failureFactor) / (weight * warmth);
}

/** The same, once its slow start and its failures are over. */
export function laterLevelOf({ weight }: StreamHost, streams: number): number {
  return streams / weight;
}

/**
 * The move that evens out the streams most: from the fullest endpoint that holds more than `1 + threshold` times the
 * mean, and has a stream that can move, to the emptiest one. Undefined if no move is an improvement: after it, the target
 * must not be fuller than the source. So each move lowers the sum of the squares, and moves come to an end.
 *
 * @param hosts Endpoints among which streams may move.
 * @param canLeave Whether a stream of the endpoint can move.
 */
export function relocationWithin<E extends StreamHost>(
  hosts: readonly E[],
  threshold: number,
  canLeave: (host: E) => boolean,
  level = levelOf,
): Relocation<E> | undefined {
  const to = emptiest(hosts, level);
  if (!to) return undefined;
  const limit = meanOf(hosts) * (1 + threshold);
  const levelThere = level(to, to.streams + 1);
  let from: E | undefined;
  let fullest = limit;
  for (const host of hosts) {
    const here = host.streams / host.weight;
    if (here <= fullest || host === to || levelThere > (host.streams - 1) / host.weight || !canLeave(host)) continue;
    fullest = here;
    from = host;
  }
  return from && { from, to };
}

/** The endpoint that one more stream fills least. */
export function emptiest<E extends StreamHost>(hosts: readonly E[], level = levelOf): E | undefined {
  let best: E | undefined;
  let least = Infinity;
  for (const host of hosts) {
    const there = level(host, host.streams + 1);
    if (there >= least) continue;
    least = there;
    best = host;
  }
  return best;
}

function meanOf(hosts: readonly StreamHost[]): number {
  let [streams, weight] = [0, 0];
  for (const host of hosts) {
    streams += host.streams;
    weight += host.weight;
  }
  return streams / weight;
}
