import { xxh64 } from '../hash/xxh64.js';
import { DEFAULT_MAX_RING_SIZE, DEFAULT_MIN_RING_SIZE, type RingHashConfig } from '../options/ring-hash-options.js';
import { hasRoom, HASHES, type Placement, type Room } from './placement.js';
import type { Candidate } from './policy.js';

/** Points on a circle, in order, and the owner of each. */
interface Ring {
  /** Sorted by address, so that all clients build the same ring. */
  readonly members: readonly Candidate[];
  readonly weights: readonly number[];
  readonly positions: Float64Array;
  /** Indexes in `members`. */
  readonly owners: Uint32Array;
}

/** A list as seen from a ring. */
interface View {
  readonly ring: Ring;
  /** The index of each member in the list; -1 for members that may not be picked now. */
  readonly indexes: Int32Array;
}

const EMPTY: Ring = { members: [], weights: [], positions: new Float64Array(0), owners: new Uint32Array(0) };

/**
 * The ring of gRPC's other languages (gRFC A42). It contains all endpoints that discovery lists, and lookups skip those
 * that may not be picked now: no key of a healthy endpoint moves because another endpoint is unhealthy.
 */
export class HashRing implements Placement {
  #known: ReadonlySet<Candidate> = new Set();
  #changed = false;
  #ring = EMPTY;
  #last: readonly Candidate[] | undefined;
  #lastView: View | undefined;
  readonly #views = new WeakMap<readonly Candidate[], View>();

  constructor(private readonly sizes: Pick<RingHashConfig, 'minRingSize' | 'maxRingSize'>) {}

  find(candidates: readonly Candidate[], hash: number, room: Room): number {
    const { ring, indexes } = this.#viewOf(candidates);
    const n = ring.owners.length;
    const first = firstFrom(ring.positions, hash);
    for (let i = 0; i < n; i++) {
      const at = first + i < n ? first + i : first + i - n;
      const index = indexes[ring.owners[at]!]!;
      if (index >= 0 && hasRoom(candidates[index]!, room)) return index;
    }
    return firstWithRoom(candidates, room);
  }

  shares(candidates: readonly Candidate[], room: Room): number[] {
    const { ring, indexes } = this.#viewOf(candidates);
    const { positions, owners } = ring;
    const shares = candidates.map(() => 0);
    const n = owners.length;
    let taker = firstWithRoom(candidates, room);
    // Goes backwards, twice around: the first round only finds the endpoint that takes the keys after the last point.
    for (let i = 2 * n - 1; i >= 0; i--) {
      const index = indexes[owners[i % n]!]!;
      if (index >= 0 && hasRoom(candidates[index]!, room)) taker = index;
      if (i >= n) continue;
      const before = i === 0 ? positions[n - 1]! - HASHES : positions[i - 1]!;
      shares[taker]! += (positions[i]! - before) / HASHES;
    }
    return shares;
  }

  members(all: readonly Candidate[]): void {
    this.#known = new Set(all);
    this.#changed = true;
  }

  forget(candidate: Candidate): void {
    this.#known = new Set([...this.#known].filter((each) => each !== candidate));
    this.#changed = true;
  }

  #viewOf(candidates: readonly Candidate[]): View {
    if (candidates === this.#last && !this.#changed) return this.#lastView!;
    let view = this.#views.get(candidates);
    if (!view || this.#changed || view.ring !== this.#ring) {
      const ring = this.#ringWith(candidates);
      const indexOf = new Map(candidates.map((candidate, i) => [candidate, i]));
      view = { ring, indexes: Int32Array.from(ring.members, (member) => indexOf.get(member) ?? -1) };
      this.#views.set(candidates, view);
    }
    this.#last = candidates;
    return (this.#lastView = view);
  }

  /** The ring of all known endpoints, which always include the candidates. */
  #ringWith(candidates: readonly Candidate[]): Ring {
    if (candidates.some((candidate) => !this.#known.has(candidate)))
      this.#known = new Set([...this.#known, ...candidates]);
    this.#changed = false;
    const { members, weights } = this.#ring;
    const same = (member: Candidate, i: number): boolean => this.#known.has(member) && member.weight === weights[i];
    if (members.length !== this.#known.size || !members.every(same))
      this.#ring = ringOf([...this.#known].toSorted(byKey), this.sizes);
    return this.#ring;
  }
}

/** A42: the points of an endpoint are the hashes of `address_0`, `address_1`, ...: XXH64 with seed 0. */
function ringOf(members: readonly Candidate[], sizes: Pick<RingHashConfig, 'minRingSize' | 'maxRingSize'>): Ring {
  const weights = members.map(({ weight }) => weight);
  const { minRingSize = DEFAULT_MIN_RING_SIZE, maxRingSize = DEFAULT_MAX_RING_SIZE } = sizes;
  const points = pointCounts(weights, Math.min(minRingSize, maxRingSize), maxRingSize).flatMap((count, owner) =>
    Array.from({ length: count }, (_, i) => ({ position: xxh64(`${members[owner]!.key}_${i}`), owner })),
  );
  points.sort((a, b) => a.position - b.position || a.owner - b.owner);
  return {
    members,
    weights,
    positions: Float64Array.from(points, ({ position }) => position),
    owners: Uint32Array.from(points, ({ owner }) => owner),
  };
}

/**
 * A42, "the same algorithm as Envoy's": the lightest endpoint gets a whole number of points, and there are at most
 * `max`.
 */
function pointCounts(weights: readonly number[], min: number, max: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const lightest = Math.min(...weights) / total;
  const scale = Math.min(Math.ceil(lightest * min) / lightest, max);
  let placed = 0;
  let target = 0;
  return weights.map((weight) => {
    target += scale * (weight / total);
    const before = placed;
    while (placed < target) placed++;
    return placed - before;
  });
}

/** Beside a very heavy endpoint a light one may have no point; but it may be the only one left. */
function firstWithRoom(candidates: readonly Candidate[], room: Room): number {
  return candidates.findIndex((candidate) => hasRoom(candidate, room));
}

/** The first point at or after a position; after the last point follows the first. */
function firstFrom(positions: Float64Array, position: number): number {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (positions[middle]! < position) low = middle + 1;
    else high = middle;
  }
  return low === positions.length ? 0 : low;
}

function byKey(a: Candidate, b: Candidate): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
