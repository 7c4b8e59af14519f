import { addressToString, type Endpoint } from '../endpoint.js';
import { xxh64 } from '../hash/xxh64.js';
import type { EffectiveSubsetOptions } from '../options/subset-options.js';
import { type Random, randomBelow } from '../random.js';
import { deterministicAperture } from './deterministic-aperture.js';
import { randomSubset } from './random-subset.js';
import { byHash, type Ranked } from './ranked.js';

/** Chooses the endpoints that one client uses. */
export interface Subset {
  /**
   * The endpoints to use, in the order of the given list, each address once; all of them if there are at most `size`.
   * From one list to the next, each endpoint that came or went adds one new endpoint at most.
   */
  choose(endpoints: readonly Endpoint[]): readonly Endpoint[];
}

/** All clients of an aperture must see the same ring. */
const SHARED_SEED = 0;

/** Keep it for the life of the client: a new one draws a new seed, and chooses different endpoints. */
export function createSubset(options: EffectiveSubsetOptions, random: Random): Subset {
  const { size } = options;
  if (options.algorithm === 'random') {
    // gRFC A68: each client has its own seed, which stays for its life.
    return new StableSubset(randomBelow(random, 2 ** 53), (ranked) => randomSubset(ranked, size));
  }
  const { clients, index } = options;
  return new StableSubset(SHARED_SEED, (ranked) => deterministicAperture(ranked, size, clients, index));
}

/** Orders the endpoints by their hashes, and lets a rule choose among them. */
class StableSubset implements Subset {
  readonly #seed: number;
  readonly #rule: (ranked: readonly Ranked[]) => readonly Ranked[];
  /** The endpoints of the last list by address, so that only new ones are hashed. */
  #known: ReadonlyMap<string, Ranked> = new Map();
  #chosen: ReadonlySet<string> = new Set();

  constructor(seed: number, rule: (ranked: readonly Ranked[]) => readonly Ranked[]) {
    this.#seed = seed;
    this.#rule = rule;
  }

  choose(endpoints: readonly Endpoint[]): readonly Endpoint[] {
    const known = new Map<string, Ranked>();
    const addresses = endpoints.map(({ address }) => addressToString(address));
    let came = 0;
    for (const address of addresses) {
      if (known.has(address)) continue;
      const before = this.#known.get(address);
      if (!before) came++;
      known.set(address, before ?? { address, hash: xxh64(address, this.#seed) });
    }
    const went = this.#known.size + came - known.size;
    const target = new Set(this.#rule([...known.values()].toSorted(byHash)).map(({ address }) => address));
    const chosen = this.#towards(target, known, came + went);
    this.#known = known;
    this.#chosen = chosen;
    // Duplicate addresses: the first wins.
    const left = new Set(chosen);
    return endpoints.filter((_, i) => left.delete(addresses[i]!));
  }

  /**
   * The target, unless it adds more endpoints than have come or gone. An aperture across the start of the ring may do
   * that, because both its ends and its inside shift. Excess endpoints wait for the next change; those are the ones
   * next to an end, where the next change is likely to remove them again.
   */
  #towards(target: ReadonlySet<string>, known: ReadonlyMap<string, Ranked>, changes: number): ReadonlySet<string> {
    const entering = [...target]
      .map((address, i) => ({ address, depth: Math.min(i, target.size - 1 - i) }))
      .filter(({ address }) => !this.#chosen.has(address));
    const excess = entering.length - changes;
    if (excess <= 0) return target;
    const waiting = entering.toSorted((a, b) => a.depth - b.depth).slice(0, excess);
    const leaving = [...this.#chosen].filter((address) => known.has(address) && !target.has(address));
    const next = new Set(target);
    for (const { address } of waiting) next.delete(address);
    for (const address of leaving.slice(0, excess)) next.add(address);
    return next;
  }
}
