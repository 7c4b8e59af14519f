import { describe, expect, test } from 'vitest';
import { addressToString, type Endpoint } from '../../endpoint.js';
import { seededRandom } from '../../random.js';
import { GroupSubsets } from './group-subsets.js';
import { byPriority } from './priority-members.js';

const SIZE = 5;
const many = (count: number, more: Partial<Endpoint> = {}): Endpoint[] =>
  Array.from({ length: count }, (_, i) => ({ address: { host: `10.0.0.${i}`, port: 1 }, ...more }));
const here: Endpoint = { address: { host: '10.1.0.1', port: 1 }, locality: { zone: 'here' } };
const elsewhere = many(40, { locality: { zone: 'elsewhere' } });

/** The subsets of one client over its life. */
function client(): (list: readonly Endpoint[], size?: number) => string[] {
  const subsets = new GroupSubsets(seededRandom(1));
  const options = [SIZE, SIZE + 2].map((size) => ({ size, algorithm: 'random' as const }));
  return (list, size = SIZE) => {
    const chooser = subsets.chooser(options.find((each) => each.size === size));
    return byPriority(list, 'here', chooser)
      .flatMap(({ localZone, otherZones }) => [...localZone, ...otherZones])
      .map(({ address }) => addressToString(address));
  };
}

describe('one endpoint that comes or goes moves one connection at most', () => {
  test('when it is the last one of the local zone', () => {
    const subset = client();
    const both = subset([here, ...elsewhere]);
    expect(both).toHaveLength(1 + SIZE);
    expect(subset(elsewhere)).toEqual(both.slice(1));
    expect(subset([here, ...elsewhere])).toEqual(both);
  });

  test('when it is the last one of a priority, so that those behind it are renumbered', () => {
    const subset = client();
    const both = subset([here, ...many(40, { priority: 1 })]);
    expect(subset(many(40))).toEqual(both.slice(1));
  });
});

test('another size adds or removes as many endpoints as it differs by', () => {
  const subset = client();
  const few = subset(elsewhere);
  const more = subset(elsewhere, SIZE + 2);
  expect(more).toHaveLength(SIZE + 2);
  expect(more).toEqual(expect.arrayContaining(few));
  expect(subset(elsewhere)).toEqual(few);
});

test('clients choose differently', () => {
  const [one, other] = [1, 2].map((seed) =>
    new GroupSubsets(seededRandom(seed)).chooser({ size: SIZE, algorithm: 'random' })!(elsewhere, '0'),
  );
  expect(one).not.toEqual(other);
});
