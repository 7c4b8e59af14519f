import { describe, expect, test } from 'vitest';
import { addressToString, type Endpoint } from '../endpoint.js';
import { xxh64 } from '../hash/xxh64.js';
import { seededRandom } from '../random.js';
import { createSubset } from './subset.js';

const endpoints = (...hosts: string[]): Endpoint[] => hosts.map((host) => ({ address: { host, port: 1 } }));
const letters = endpoints('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const hostsOf = (list: readonly Endpoint[]): string[] =>
  list.map(({ address }) => addressToString(address).slice(0, 1));

describe('a random subset', () => {
  test('has the endpoints whose addresses hash lowest with the seed of the client (gRFC A68)', () => {
    const seed = 2 ** 52;
    const lowest = letters
      .map((endpoint) => ({ endpoint, hash: xxh64(addressToString(endpoint.address), seed) }))
      .toSorted((a, b) => a.hash - b.hash)
      .slice(0, 3)
      .map(({ endpoint }) => endpoint);
    const subset = createSubset({ algorithm: 'random', size: 3 }, () => 0.5);
    expect(new Set(subset.choose(letters))).toEqual(new Set(lowest));
  });

  test('draws a single random number', () => {
    let draws = 0;
    const random = seededRandom(1);
    const subset = createSubset({ algorithm: 'random', size: 3 }, () => {
      draws++;
      return random();
    });
    for (let n = 0; n < letters.length; n++) subset.choose(letters.slice(n));
    expect(draws).toBe(1);
  });
});

describe('a deterministic aperture', () => {
  const ring = letters.toSorted((a, b) => xxh64(addressToString(a.address)) - xxh64(addressToString(b.address)));
  const aperture = (index: number, clients = 4, size = 3): readonly Endpoint[] =>
    createSubset({ algorithm: 'deterministic_aperture', size, clients, index }, seededRandom(1)).choose(letters);

  test('has `size` endpoints from the position of the client on, wrapping around', () => {
    const [a, b, c, d, e, f, g, h] = ring;
    expect(new Set(aperture(0))).toEqual(new Set([a, b, c]));
    expect(new Set(aperture(1))).toEqual(new Set([c, d, e]));
    expect(new Set(aperture(2))).toEqual(new Set([e, f, g]));
    expect(new Set(aperture(3))).toEqual(new Set([g, h, a]));
  });

  test('is deterministic: a restarted client has the same endpoints', () => {
    expect(
      createSubset({ algorithm: 'deterministic_aperture', size: 3, clients: 4, index: 2 }, () => NaN).choose(letters),
    ).toEqual(aperture(2));
  });
});

test('a subset has all endpoints if there are at most as many as its size', () => {
  const all = createSubset({ algorithm: 'random', size: 8 }, seededRandom(1));
  expect(all.choose(letters)).toEqual(letters);
  expect(all.choose([])).toEqual([]);
});

test('the first of two endpoints with the same address is used, and takes one place', () => {
  const first: Endpoint = { address: { host: 'a', port: 1 }, weight: 3 };
  const subset = createSubset({ algorithm: 'random', size: 2 }, seededRandom(1));
  expect(subset.choose([first, ...endpoints('a', 'b')])).toEqual([first, ...endpoints('b')]);
});

test('Unix sockets are treated like other endpoints', () => {
  const sockets = ['/a', '/b', '/c'].map((path): Endpoint => ({ address: { path } }));
  expect(createSubset({ algorithm: 'random', size: 2 }, seededRandom(1)).choose(sockets)).toHaveLength(2);
});

test('an endpoint that leaves is replaced by another one, and the rest stay', () => {
  const subset = createSubset({ algorithm: 'random', size: 3 }, seededRandom(1));
  const before = hostsOf(subset.choose(letters));
  const gone = before[1]!;
  const after = hostsOf(
    subset.choose(
      letters.filter(
        (endpoint) => endpoint !== letters.find(({ address }) => addressToString(address) === `${gone}:1`),
      ),
    ),
  );
  expect(after).toHaveLength(3);
  expect(after.filter((host) => before.includes(host))).toEqual(before.filter((host) => host !== gone));
});
