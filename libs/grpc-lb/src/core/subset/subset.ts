import { addressToString, type Endpoint } from '../endpoint.js';
import { xxh64 } from '../hash/xxh64.js';
import type { EffectiveSubsetOptions } from '../options/subset-options.js';
import { type Random, randomBelow } from '../random.js';
import { deterministicAperture } from './deterministic-aperture.js';
import { randomSubset } from './random-subset.js';
import { byHash, type Ranked } from './ranked.js';

/** Which of the endpoints one client uses. */
export interface Subset {
  /**
   * Those to use, in the order of the list that was given, each address once: all of them where there are not more than
   * the size. From one list to the next, each endpoint that came or went brings one new one in at most.
   */
  choose(endpoints: readonly Endpoint[]): readonly Endpoint[];
}

/** All clients of an aperture must see the same ring. */
const SHARED_SEED = 0;

/** Keep it for the life of the client: another one draws another seed, and begins anew. */
export function createSubset(options: EffectiveSubsetOptions, random: Random): Subset {
  const { size } = options;
  if (options.algorithm === 'random') {
    // gRFC A68: each client has a seed of its own, which stays for its life.
    return new StableSubset(randomBelow(random, 2 ** 53), (ranked) => randomSubset(ranked, size));
  }
  const { clients, index } = options;
  return new StableSubset(SHARED_SEED, (ranked) => deterministicAperture(ranked, size, clients, index));
}

/** Ranks the endpoints by their hashes, of which a rule takes some. */
class StableSubset implements Subset {
  readonly #seed: number;
  readonly #rule: (ranked: readonly Ranked[]) => readonly Ranked[];
  /** The endpoints of the last list by address, so that only newcomers are hashed. */
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
    // Of two endpoints with one address the first counts.
    const left = new Set(chosen);
    return endpoints.filter((_, i) => left.delete(addresses[i]!));
  }

  /**
   * The target, unless that lets in more endpoints than have come or gone. An aperture that lies across the beginning
   * of the ring may, because both its ends and its inside shift there. What is too much waits for the next change; that
   * is what stands nearest to an end, where the next change is likely to take it out again.
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
