import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressToString, type Endpoint } from '../../libs/grpc-lb/src/core/endpoint.js';
import type { EffectiveSubsetOptions } from '../../libs/grpc-lb/src/core/options/subset-options.js';
import { seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import { createSubset, type Subset } from '../../libs/grpc-lb/src/core/subset/subset.js';
import { check } from './check.js';

/** Backend `i`, at a real-looking address. */
const backend = (i: number): Endpoint => ({
  address: { host: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, port: 50051 },
});
const backends = (n: number): Endpoint[] => Array.from({ length: n }, (_, i) => backend(i));
const addressesOf = (endpoints: readonly Endpoint[]): string[] =>
  endpoints.map(({ address }) => addressToString(address));

/** How many of `one` are not in `other`. */
function without(one: readonly Endpoint[], other: readonly Endpoint[]): number {
  const there = new Set(addressesOf(other));
  return addressesOf(one).filter((address) => !there.has(address)).length;
}

/** The options of all clients of one kind. */
function clientsOf(algorithm: EffectiveSubsetOptions['algorithm'], clients: number, size: number): Subset[] {
  const random = seededRandom(1);
  return Array.from({ length: clients }, (_, index) =>
    createSubset(algorithm === 'random' ? { algorithm, size } : { algorithm, size, clients, index }, random),
  );
}

/** Connections to each backend. */
function connections(clients: readonly Subset[], endpoints: readonly Endpoint[]): number[] {
  const counts = new Map(addressesOf(endpoints).map((address) => [address, 0]));
  for (const client of clients) {
    for (const address of addressesOf(client.choose(endpoints))) counts.set(address, counts.get(address)! + 1);
  }
  return [...counts.values()];
}

const ids = fc.uniqueArray(fc.nat({ max: 100_000 }), { maxLength: 60 });
const options: fc.Arbitrary<EffectiveSubsetOptions> = fc.oneof(
  fc.record({ algorithm: fc.constant('random' as const), size: fc.integer({ min: 1, max: 40 }) }),
  fc
    .record({ size: fc.integer({ min: 1, max: 40 }), clients: fc.integer({ min: 1, max: 50 }), at: fc.nat() })
    .map(({ size, clients, at }) => ({
      algorithm: 'deterministic_aperture' as const,
      size,
      clients,
      index: at % clients,
    })),
);
const seed = fc.nat();

describe('a subset', () => {
  test('has the right size, has each address once, and keeps the order of the list', () => {
    check(
      fc.property(options, seed, fc.array(fc.nat({ max: 30 }), { maxLength: 60 }), (chosen, random, list) => {
        const endpoints = list.map(backend);
        const result = createSubset(chosen, seededRandom(random)).choose(endpoints);
        expect(result).toHaveLength(Math.min(chosen.size, new Set(list).size));
        expect(new Set(addressesOf(result)).size).toBe(result.length);
        expect(result).toEqual(endpoints.filter((endpoint) => result.includes(endpoint)));
      }),
    );
  });

  test('does not depend on the order of the list, nor on anything but the addresses', () => {
    check(
      fc.property(options, seed, ids, fc.nat(), (chosen, random, list, shuffle) => {
        const subset = (endpoints: Endpoint[]): string[] =>
          addressesOf(createSubset(chosen, seededRandom(random)).choose(endpoints)).toSorted();
        const other = seededRandom(shuffle);
        const shuffled = list
          .map((id) => ({ ...backend(id), weight: id + 1, locality: { zone: 'z' }, at: other() }))
          .toSorted((a, b) => a.at - b.at);
        expect(subset(shuffled)).toEqual(subset(list.map(backend)));
      }),
    );
  });

  test('is stable for the same list, and the subset of a subset is itself', () => {
    check(
      fc.property(options, seed, ids, (chosen, random, list) => {
        const subset = createSubset(chosen, seededRandom(random));
        const first = subset.choose(list.map(backend));
        expect(subset.choose(list.map(backend))).toEqual(first);
        expect(subset.choose(first)).toEqual(first);
      }),
    );
  });

  test('adds and removes at most one endpoint for each one that comes or goes, in any sequence', () => {
    const steps = fc.array(fc.tuple(fc.nat({ max: 45 }), fc.nat()), { minLength: 1, maxLength: 60 });
    check(
      fc.property(
        options,
        seed,
        fc.uniqueArray(fc.nat({ max: 45 }), { maxLength: 45 }),
        steps,
        (chosen, random, list, changes) => {
          const subset = createSubset(chosen, seededRandom(random));
          let here = list;
          let before = subset.choose(here.map(backend));
          for (const [id, at] of changes) {
            const place = at % (here.length + 1);
            here = here.includes(id) ? here.filter((each) => each !== id) : here.toSpliced(place, 0, id);
            const after = subset.choose(here.map(backend));
            expect(after).toHaveLength(Math.min(chosen.size, here.length));
            expect(without(after, before)).toBeLessThanOrEqual(1);
            expect(without(before, after)).toBeLessThanOrEqual(1);
            before = after;
          }
        },
      ),
      2000,
    );
  });

  test('adds at most as many endpoints as come or go at once', () => {
    check(
      fc.property(options, seed, ids, ids, (chosen, random, list, next) => {
        const subset = createSubset(chosen, seededRandom(random));
        const before = subset.choose(list.map(backend));
        const after = subset.choose(next.map(backend));
        const changed = [...list, ...next].filter((id) => list.includes(id) !== next.includes(id)).length;
        expect(after).toHaveLength(Math.min(chosen.size, next.length));
        expect(without(after, before)).toBeLessThanOrEqual(changed);
      }),
    );
  });
});

describe('random subsets', () => {
  // The bounds of gRFC A68, on the most connections that a backend gets.
  test.each([
    [100, 100, 5, 15],
    [100, 100, 25, 40],
    [100, 10, 5, 65],
    [500, 10, 5, 600],
    [2000, 10, 5, 1200],
  ])('of %i clients on %i backends, %i each: at most %i connections to one', (clients, n, size, most) => {
    const counts = connections(clientsOf('random', clients, size), backends(n));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(clients * size);
    expect(Math.max(...counts)).toBeLessThanOrEqual(most);
  });

  test('differ between clients, and every backend is equally likely', () => {
    const counts = connections(clientsOf('random', 2000, 5), backends(20));
    // Binomial with p = 1/4 over 2000 clients: sigma is 19.4; six of them.
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(6 * 19.4);
  });
});

describe('deterministic apertures', () => {
  test('of any number of clients give backends connection counts that differ by at most one', () => {
    const upTo = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
    check(
      fc.property(upTo(120), upTo(120), upTo(60), (clients, n, size) => {
        const counts = connections(clientsOf('deterministic_aperture', clients, size), backends(n));
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
      100,
    );
  });

  test('stay even within two connections while backends come and go', () => {
    const random = seededRandom(2);
    const clients = clientsOf('deterministic_aperture', 50, 20);
    const here = Array.from({ length: 100 }, (_, i) => i);
    for (let step = 0; step < 150; step++) {
      if (here.length > 90 && random() < 0.5) here.splice(Math.floor(random() * here.length), 1);
      else here.push(1000 + step);
      const counts = connections(clients, here.map(backend));
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
    }
  });
});

test.each([
  [100, 1000, 20],
  [100, 1000, 50],
  [1000, 1000, 20],
  [100, 100, 20],
  [20, 50, 12],
])('%i clients on %i backends, %i each: the distribution of connections', (clients, n, size) => {
  const [random, aperture] = (['random', 'deterministic_aperture'] as const).map((algorithm) => {
    const counts = connections(clientsOf(algorithm, clients, size), backends(n));
    const [min, max] = [Math.min(...counts), Math.max(...counts)];
    const idle = counts.filter((count) => count === 0).length;
    // PRINT_FIGURES=1 shows the table of docs/discovery/subsets.md.
    if (process.env['PRINT_FIGURES'] !== undefined) {
      console.log(
        `| ${clients} | ${n} | ${size} | ${algorithm} | ${min} | ${(clients * size) / n} | ${max} | ${idle} |`,
      );
    }
    return { min, max };
  });
  expect(aperture!.max - aperture!.min).toBeLessThanOrEqual(1);
  expect(random!.max - random!.min).toBeGreaterThan(1);
});
