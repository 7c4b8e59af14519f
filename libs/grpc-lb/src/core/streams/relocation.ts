import type { StreamHost } from './placed-stream.js';

/** One stream may go from one endpoint to another. */
export interface Relocation<E> {
  readonly from: E;
  readonly to: E;
  /** By how many streams the difference of the two shrinks, at most: 0 if only other clients gain from it. */
  readonly gain: number;
  /** Whether it fills an endpoint that has joined lately. */
  readonly fills: boolean;
}

/** The part that one client has in filling a new endpoint. */
export interface Fill {
  /** Random, from 0 to 1: rounds the share of the endpoint up or down to a whole number of streams. */
  readonly draw: number;
  /** Moves to it so far. */
  readonly moves: number;
}

/** What a search for a relocation reads. */
export interface RelocationSearch<E> {
  /** Endpoints among which streams may move. */
  readonly hosts: readonly E[];
  /** By how much more than the mean the source must carry, as a fraction. */
  readonly threshold: number;
  /** The streams of an endpoint, without those that are about to leave it. */
  readonly streamsOf: (host: E) => number;
  /** Whether a stream of the endpoint can move. */
  readonly canLeave: (host: E) => boolean;
  /** What this client does to fill an endpoint that has joined lately; undefined for the others. */
  readonly fillOf: (host: E) => Fill | undefined;
  /** Where the search begins, from 0 to 1, so that the clients do not all choose the first of several equals. */
  readonly start: number;
  /** Whether slow start and failures count. False: what will be, once both are over. */
  readonly now: boolean;
}

/** How full an endpoint with slow start or failures is if it holds this many streams. */
export function levelOf({ weight, warmth, failureFactor }: Omit<StreamHost, 'joinedAt'>, streams: number): number {
  return (streams * failureFactor) / (weight * warmth);
}

/**
 * The move that evens out the streams most: from the fullest endpoint that holds more than `1 + threshold` times the
 * mean, and has a stream that can move, to the emptiest one. Undefined if there is none that is an improvement.
 *
 * Between endpoints that were there before, the target must not be fuller afterwards than the source: each move lowers
 * the sum of the squares, so moves come to an end.
 *
 * One that has joined lately is filled up to `1 - threshold` times the mean, and arrivals do the rest; for that, sources
 * need to hold only half as much more than the mean. With two of ten endpoints new, the others hold 110 % of the mean
 * when the new ones have 60 % of it, and 105 % when they have 80 %. A client may have fewer streams than there are endpoints, or a few on each: then it takes part with a probability, so that all clients
 * together fill the new endpoint. Its target may be as full afterwards as the source was; since the fill is limited, and
 * ends when the endpoint is no longer new, these moves come to an end too.
 */
export function relocationWithin<E extends StreamHost>(search: RelocationSearch<E>): Relocation<E> | undefined {
  const { threshold } = search;
  const mean = meanOf(search);
  return toNew(search, mean) ?? toEmptiest(search, mean, mean * (1 + threshold));
}

function toNew<E extends StreamHost>(search: RelocationSearch<E>, mean: number): Relocation<E> | undefined {
  const { streamsOf } = search;
  const mayTake = (host: E): boolean => {
    const fill = search.fillOf(host);
    if (fill === undefined || (search.now && host.failureFactor > 1)) return false;
    const most = partOf(host, fill, search, mean);
    return streamsOf(host) < most && fill.moves < most;
  };
  const to = emptiest(fromStart(search).filter(mayTake), search);
  if (!to) return undefined;
  const level = (streamsOf(to) + 1) / to.weight;
  // Another new endpoint that has no more than its part must not be emptied for this one.
  const keeps = (host: E): boolean => {
    const fill = search.fillOf(host);
    return fill !== undefined && streamsOf(host) <= partOf(host, fill, search, mean);
  };
  const from = fullest(
    search,
    mean * (1 + search.threshold / 2),
    (host) => host !== to && (streamsOf(host) - (keeps(host) ? 1 : 0)) / host.weight >= level,
  );
  return from && { from, to, gain: streamsOf(from) - streamsOf(to) - 1, fills: true };
}

/** How many streams of this client a new endpoint should have at least. */
function partOf<E extends StreamHost>(
  { weight, warmth }: E,
  { draw }: Fill,
  { threshold, now }: RelocationSearch<E>,
  mean: number,
): number {
  const share = mean * weight;
  // A client with less than a stream on each endpoint cannot see what arrivals would have to bring.
  return Math.floor((share < 1 ? share : (1 - threshold) * share) * (now ? warmth : 1) + draw);
}

function toEmptiest<E extends StreamHost>(
  search: RelocationSearch<E>,
  mean: number,
  limit: number,
): Relocation<E> | undefined {
  const { streamsOf } = search;
  const to = emptiest(fromStart(search), search);
  if (!to) return undefined;
  const streams = streamsOf(to);
  const level = search.now ? levelOf(to, streams + 1) : (streams + 1) / to.weight;
  // One stream more or less than the share is as even as whole streams can be.
  const spare = mean * to.weight - streams > 1;
  const from = fullest(
    search,
    limit,
    (host) =>
      host !== to &&
      level <= (streamsOf(host) - 1) / host.weight &&
      (spare || streamsOf(host) - mean * host.weight > 1),
  );
  return from && { from, to, gain: streamsOf(from) - streams - 1, fills: false };
}

function fromStart<E>({ hosts, start }: RelocationSearch<E>): readonly E[] {
  const first = Math.floor(start * hosts.length);
  return [...hosts.slice(first), ...hosts.slice(0, first)];
}

/** The fullest endpoint above a limit. */
function fullest<E extends StreamHost>(
  search: RelocationSearch<E>,
  limit: number,
  improves: (host: E) => boolean,
): E | undefined {
  let from: E | undefined;
  let most = limit;
  for (const host of fromStart(search)) {
    const level = search.streamsOf(host) / host.weight;
    if (level <= most || !improves(host) || !search.canLeave(host)) continue;
    most = level;
    from = host;
  }
  return from;
}

/** The endpoint that one more stream fills least. */
export function emptiest<E extends StreamHost>(
  hosts: readonly E[],
  { streamsOf, now }: Pick<RelocationSearch<E>, 'streamsOf' | 'now'>,
): E | undefined {
  let best: E | undefined;
  let least = Infinity;
  for (const host of hosts) {
    const streams = streamsOf(host) + 1;
    const level = now ? levelOf(host, streams) : streams / host.weight;
    if (level >= least) continue;
    least = level;
    best = host;
  }
  return best;
}

function meanOf<E extends StreamHost>({ hosts, streamsOf }: RelocationSearch<E>): number {
  let [streams, weight] = [0, 0];
  for (const host of hosts) {
    streams += streamsOf(host);
    weight += host.weight;
  }
  return streams / weight;
}
