import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressToString, type Endpoint } from '../../libs/grpc-lb/src/core/endpoint.js';
import { diffEndpoints } from '../../libs/grpc-lb/src/core/balancing/members/endpoint-diff.js';
import { check } from './check.js';

/** Few addresses, so that lists overlap and repeat themselves. */
const endpoint: fc.Arbitrary<Endpoint> = fc.record(
  {
    address: fc.oneof(
      fc.record({ host: fc.constantFrom('a', 'b', '10.0.0.1', '::1'), port: fc.integer({ min: 1, max: 2 }) }),
      fc.record({ path: fc.constantFrom('/a', '/b') }),
    ),
    weight: fc.integer({ min: 1, max: 5 }),
  },
  { requiredKeys: ['address'] },
);
const list = fc.array(endpoint, { maxLength: 12 });
const keyOf = (each: Endpoint): string => addressToString(each.address);

/** The first of each address. */
const distinct = (endpoints: readonly Endpoint[]): Endpoint[] =>
  endpoints.filter((each, i) => endpoints.findIndex((other) => keyOf(other) === keyOf(each)) === i);

test('an address in only one list is added or removed once, in the order of that list', () => {
  check(
    fc.property(list, list, (before, next) => {
      const held = new Map(distinct(before).map((each) => [keyOf(each), { key: keyOf(each) }]));
      const { added, removed } = diffEndpoints(held, next);
      const nextKeys = new Set(next.map(keyOf));
      expect(added).toEqual(distinct(next).filter((each) => !held.has(keyOf(each))));
      expect(removed.map(({ key }) => key)).toEqual([...held.keys()].filter((key) => !nextKeys.has(key)));
    }),
  );
});

test('applying the diff yields the next list, and a second diff is empty', () => {
  check(
    fc.property(list, list, (before, next) => {
      const held = new Map(distinct(before).map((each) => [keyOf(each), { key: keyOf(each) }]));
      const { added, removed } = diffEndpoints(held, next);
      for (const { key } of removed) held.delete(key);
      for (const each of added) held.set(keyOf(each), { key: keyOf(each) });
      expect(new Set(held.keys())).toEqual(new Set(next.map(keyOf)));
      expect(diffEndpoints(held, next)).toMatchObject({ added: [], removed: [] });
    }),
  );
});
