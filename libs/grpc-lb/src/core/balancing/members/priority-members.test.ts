import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../../../../../test/properties/check.js';
import { addressToString, type Endpoint } from '../../endpoint.js';
import { byAddress, byPriority, type PriorityMembers } from './priority-members.js';

const at = (port: number, zone?: string, priority?: number): Endpoint => ({
  address: { host: 'h', port },
  ...(zone === undefined ? {} : { locality: { zone } }),
  ...(priority === undefined ? {} : { priority }),
});
const ports = (list: readonly Endpoint[]): number[] =>
  list.map(({ address }) => ('port' in address ? address.port : 0));
const shortly = (priorities: readonly PriorityMembers<Endpoint>[]): [number, number[], number[]][] =>
  priorities.map(({ priority, localZone, otherZones }) => [priority, ports(localZone), ports(otherZones)]);

describe('a list by priority', () => {
  test('is sorted best first, in discovery order within a priority, with a default of 0', () => {
    const priorities = byPriority([at(1, undefined, 5), at(2), at(3, undefined, 1), at(4, undefined, 0)], undefined);
    expect(shortly(priorities)).toEqual([
      [0, [2, 4], []],
      [1, [3], []],
      [5, [1], []],
    ]);
  });

  test('has no priorities if it is empty', () => {
    expect(byPriority([], 'a')).toEqual([]);
  });

  test('has each endpoint once, at its best priority, and the first of equal ones', () => {
    const priorities = byPriority(
      byAddress([at(1, 'b', 1), at(2, 'a'), at(1, 'a'), at(2, 'b'), at(1, 'c')]).values(),
      'a',
    );
    expect(shortly(priorities)).toEqual([[0, [1, 2], []]]);
    expect(priorities[0]!.localZone[0]!.locality).toEqual({ zone: 'a' });
  });
});

describe('zones', () => {
  test('split each priority into the local and other zones; endpoints without a zone are in the others', () => {
    const list = [at(1, 'a'), at(2, 'b'), at(3), at(4, 'a'), at(5, 'b', 1), at(6, 'a', 1)];
    expect(shortly(byPriority(list, 'a'))).toEqual([
      [0, [1, 4], [2, 3]],
      [1, [6], [5]],
    ]);
  });

  test('are ignored if the client has none, or if all or none of the endpoints of a priority are local', () => {
    const list = [at(1, 'a'), at(2, 'b')];
    expect(shortly(byPriority(list, undefined))).toEqual([[0, [1, 2], []]]);
    expect(shortly(byPriority(list, 'c'))).toEqual([[0, [1, 2], []]]);
    expect(shortly(byPriority([at(1, 'a'), at(2, 'a')], 'a'))).toEqual([[0, [1, 2], []]]);
  });
});

describe('a subset', () => {
  test('is taken from each group separately, so that no group loses its part to another', () => {
    const asked: [number[], string][] = [];
    const list = [at(1, 'a'), at(2, 'a'), at(3, 'b'), at(4, 'b', 1), at(5, 'b', 1)];
    const priorities = byPriority(list, 'a', (group, name) => {
      asked.push([ports(group), name]);
      return group.slice(0, 1);
    });
    expect(asked).toEqual([
      [[1, 2], '0 local'],
      [[3], '0 others'],
      [[4, 5], '1'],
    ]);
    expect(shortly(priorities)).toEqual([
      [0, [1], [3]],
      [1, [4], []],
    ]);
  });
});

test('every endpoint is in exactly one group, at its best priority and in the right zone', () => {
  const zone = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined });
  const endpoint = fc
    .tuple(fc.integer({ min: 1, max: 12 }), zone, fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }))
    .map(([port, where, priority]) => at(port, where, priority));
  check(
    fc.property(fc.array(endpoint, { maxLength: 20 }), zone, (list, here) => {
      const priorities = byPriority(byAddress(list).values(), here);
      const all = priorities.flatMap(({ localZone, otherZones }) => [...localZone, ...otherZones]);
      const keys = all.map(({ address }) => addressToString(address));
      expect(new Set(keys).size).toBe(keys.length);
      expect(new Set(keys)).toEqual(new Set(list.map(({ address }) => addressToString(address))));
      expect(priorities.map(({ priority }) => priority)).toEqual(
        [...new Set(all.map(({ priority = 0 }) => priority))].toSorted((a, b) => a - b),
      );
      for (const { priority, localZone, otherZones } of priorities) {
        expect(localZone.length).toBeGreaterThan(0);
        for (const each of [...localZone, ...otherZones]) {
          expect(each.priority ?? 0).toBe(priority);
          const best = list.filter(({ address }) => addressToString(address) === addressToString(each.address));
          expect(priority).toBe(Math.min(...best.map((twin) => twin.priority ?? 0)));
        }
        if (otherZones.length === 0) continue;
        for (const { locality } of localZone) expect(locality?.zone).toBe(here);
        for (const { locality } of otherZones) expect(locality?.zone).not.toBe(here);
      }
    }),
  );
});
