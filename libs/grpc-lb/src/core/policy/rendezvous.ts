import { xxh64 } from '../hash/xxh64.js';
import { PerList } from './per-list.js';
import { hasRoom, type Placement, type Room } from './placement.js';
import type { Candidate } from './policy.js';

/** The relevant data of the endpoints of a list. */
interface Addresses {
  /** The hashes of their addresses, as upper and lower halves. */
  readonly high: Int32Array;
  readonly low: Int32Array;
  /** Undefined if all are equal. */
  readonly weights: Float64Array | undefined;
}

/**
 * Highest random weight (Thaler and Ravishankar 1998): combines each address with the key into a score, and the
 * endpoint with the highest score owns the key. An endpoint that comes or goes moves only its own keys, and the shares
 * are exactly fair; a ring approaches that only with very many points. A lookup scores all endpoints, at 2 ns each.
 */
export class Rendezvous implements Placement {
  readonly #addresses = new PerList<Addresses>((candidates) => {
    const hashes = candidates.map(hashOf);
    const weights = Float64Array.from(candidates, ({ weight }) => weight);
    return {
      high: Int32Array.from(hashes, (hash) => Math.floor(hash / 2 ** 32)),
      low: Int32Array.from(hashes, (hash) => hash | 0),
      weights: weights.every((weight) => weight === weights[0]) ? undefined : weights,
    };
  });

  find(candidates: readonly Candidate[], hash: number, room: Room): number {
    const { high, low, weights } = this.#addresses.of(candidates);
    const keyHigh = Math.floor(hash / 2 ** 32);
    const keyLow = hash | 0;
    let owner = -1;
    let greatest = -Infinity;
    for (let i = 0; i < high.length; i++) {
      let score = mixed(high[i]! ^ keyHigh, low[i]! ^ keyLow);
      if (weights) score = weighted(score, weights[i]!, greatest);
      if (score < greatest || (room !== Infinity && !hasRoom(candidates[i]!, room))) continue;
      if (score === greatest && candidates[i]!.key > candidates[owner]!.key) continue;
      greatest = score;
      owner = i;
    }
    return owner;
  }

  shares(candidates: readonly Candidate[], room: Room): number[] {
    const weights = candidates.map((candidate) => (hasRoom(candidate, room) ? candidate.weight : 0));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  }
}

/** Keyed by endpoint, because some lists exist for a single pick only. */
const known = new WeakMap<Candidate, number>();

function hashOf(candidate: Candidate): number {
  let hash = known.get(candidate);
  if (hash === undefined) known.set(candidate, (hash = xxh64(candidate.key)));
  return hash;
}

/** A 32-bit number that depends on every bit of both (the finalizer of MurmurHash3, with the second half added). */
function mixed(high: number, low: number): number {
  let x = low ^ (low >>> 16);
  x = Math.imul(x, 0x85ebca6b) + Math.imul(high, 0x9e3779b1);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Of several numbers between 0 and 1, each raised to 1 / weight, the greatest wins in proportion to the weights. */
function weighted(drawn: number, weight: number, greatest: number): number {
  const u = (drawn + 0.5) / 2 ** 32;
  // log(u) <= u - 1, which suffices to rule out most.
  const atMost = (u - 1) / weight;
  return atMost < greatest ? atMost : Math.log(u) / weight;
}
