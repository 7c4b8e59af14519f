import { describe, expect, test } from 'vitest';
import { srvRecord } from '../../../../../test/support/discovery/fake-dns.js';
import { addressToString } from '../../core/endpoint.js';
import { readSrvRecords, srvEndpoints } from './srv-records.js';

const read = (...lines: string[]) => readSrvRecords(lines.map(srvRecord), 'orders');
const targets = (...lines: string[]) =>
  read(...lines).targets.map(({ address, priority, weight }) => `${priority} ${weight} ${addressToString(address)}`);

describe('SRV records', () => {
  test('are sorted best first, in any order from the server', () => {
    const best = ['0 9 b:1', '0 5 a:2', '0 5 c:1', '7 60 a:1'];
    expect(targets('7 60 1 a', '0 5 1 c', '0 5 2 a', '0 9 1 b')).toEqual(best);
    expect(targets('0 9 1 b', '0 5 2 a', '7 60 1 a', '0 5 1 c')).toEqual(best);
  });

  test('names are normalized', () => {
    expect(targets('0 0 1 A.Shop.', '0 0 2 a.shop')).toEqual(['0 0 a.shop:1', '0 0 a.shop:2']);
  });

  test('an address in place of a name is accepted', () => {
    expect(targets('0 0 1 10.0.0.1', '0 0 1 10.0.0.2.', '0 0 1 FD00::1')).toEqual([
      '0 0 10.0.0.1:1',
      '0 0 10.0.0.2:1',
      '0 0 [fd00::1]:1',
    ]);
  });

  test('the root alone means that there is no such service; beside other targets it is ignored', () => {
    expect(read('0 0 0 .')).toEqual({ targets: [], unavailable: true, warnings: [] });
    expect(readSrvRecords([{ name: '.', port: 0, priority: 0, weight: 0 }], 'x').unavailable).toBe(true);
    expect(read('0 0 0 .', '0 0 1 a')).toMatchObject({ targets: [{ weight: 0 }], unavailable: false, warnings: [] });
    expect(read()).toEqual({ targets: [], unavailable: false, warnings: [] });
  });

  test.each([
    [{ name: 'a b', port: 1, priority: 0, weight: 0 }],
    [{ name: 'a\0b', port: 1, priority: 0, weight: 0 }],
    [{ name: '10.0.0.300', port: 1, priority: 0, weight: 0 }],
    [{ name: 'x'.repeat(100_000), port: 1, priority: 0, weight: 0 }],
    [{ name: 'a', port: 0, priority: 0, weight: 0 }],
    [{ name: 'a', port: 65_536, priority: 0, weight: 0 }],
    [{ name: 'a', port: '1', priority: 0, weight: 0 }],
    [{ name: 'a', port: 1, priority: -1, weight: 0 }],
    [{ name: 'a', port: 1, priority: 0, weight: 1.5 }],
    [{ name: 'a', port: 1 }],
    [null],
    ['a:1'],
    [[]],
  ])('an invalid record is left out and shown: %j', (record) => {
    const { targets: good, warnings } = readSrvRecords([record, srvRecord('0 0 1 good')], 'orders');
    expect(good.map(({ address }) => address.host)).toEqual(['good']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('"orders" has an invalid SRV record, which is ignored: ');
    expect(warnings[0]!.length).toBeLessThan(150);
  });

  test('a million records are truncated to the best thousand of those that a DNS message can hold', () => {
    const million = Array.from({ length: 1_000_000 }, (_, i) => srvRecord(`${9 - (i % 10)} 1 1 t${i}`));
    const { targets: good, warnings } = readSrvRecords(million, 'orders');
    expect(good).toHaveLength(1000);
    expect(new Set(good.map(({ priority }) => priority))).toEqual(new Set([0, 1, 2]));
    expect(warnings).toEqual(['"orders" has more than 1000 SRV records; the best 1000 are used']);
  });

  test.each([[undefined], [null], [{}], ['x']])('%j is not a valid answer', (answer) => {
    expect(() => readSrvRecords(answer, 'orders')).toThrow('not a list of SRV records');
  });
});

describe('endpoints of SRV records', () => {
  const endpoints = (hosts: Record<string, string[]>, ...lines: string[]) =>
    srvEndpoints(read(...lines).targets, (name) => hosts[name] ?? []).endpoints.map(
      ({ address, weight, priority }) => `${priority} ${weight} ${addressToString(address)}`,
    );

  test('priorities become ranks without a gap, 0 for the lowest that has an address', () => {
    const hosts = { b: ['10.0.0.2'], c: ['10.0.0.3'], d: ['10.0.0.4'] };
    expect(endpoints(hosts, '5 1 1 a', '10 1 1 b', '10 2 1 c', '65535 1 1 d')).toEqual([
      '0 2 10.0.0.3:1',
      '0 1 10.0.0.2:1',
      '1 1 10.0.0.4:1',
    ]);
  });

  test('ranks beyond the supported maximum become the last one', () => {
    const hosts = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`t${i}`, [`10.0.0.${i}`]]));
    const ranks = endpoints(hosts, ...Object.keys(hosts).map((name, i) => `${i * 3} 1 1 ${name}`));
    expect(ranks.at(126)).toBe('126 1 10.0.0.126:1');
    expect(new Set(ranks.slice(127).map((text) => text.split(' ')[0]))).toEqual(new Set(['127']));
  });

  test('weight 0 becomes the smallest weight', () => {
    expect(endpoints({ a: ['10.0.0.1'], b: ['10.0.0.2'] }, '0 0 1 a', '0 7 1 b')).toEqual([
      '0 7 10.0.0.2:1',
      '0 1 10.0.0.1:1',
    ]);
  });

  test('a weight belongs to the target, and its addresses share it', () => {
    const hosts = { a: ['10.0.0.1', '10.0.0.2', '::1'], b: ['10.0.0.3', '10.0.0.4'], c: ['10.0.0.5'] };
    // 10 for each target, in sixths.
    expect(endpoints(hosts, '0 10 1 a', '0 10 1 b', '0 10 1 c')).toEqual([
      '0 20 10.0.0.1:1',
      '0 20 10.0.0.2:1',
      '0 20 [::1]:1',
      '0 30 10.0.0.3:1',
      '0 30 10.0.0.4:1',
      '0 60 10.0.0.5:1',
    ]);
  });

  test('every weight is valid for an endpoint, whatever the targets look like', () => {
    const primes = [2, 3, 5, 7, 11, 13, 17, 19, 23];
    const hosts = Object.fromEntries(
      primes.map((n, i) => [`t${n}`, Array.from({ length: n }, (_, j) => `10.0.${i}.${j}`)]),
    );
    const { endpoints: all } = srvEndpoints(
      read(...primes.map((n) => `0 65535 1 t${n}`), ...primes.map((n) => `1 0 2 t${n}`)).targets,
      (name) => hosts[name]!,
    );
    for (const { weight } of all) {
      expect(Number.isInteger(weight)).toBe(true);
      expect(weight).toBeGreaterThanOrEqual(1);
      expect(weight).toBeLessThan(2 ** 32);
    }
    const sums = primes.map((_, i) =>
      all
        .filter(({ address, priority }) => priority === 0 && addressToString(address).startsWith(`10.0.${i}.`))
        .reduce((sum, { weight }) => sum + weight!, 0),
    );
    expect(Math.max(...sums) / Math.min(...sums)).toBeLessThan(1.001);
  });

  test('an address and port shared by two targets keeps its best rank', () => {
    const hosts = { a: ['10.0.0.1'], b: ['10.0.0.1'] };
    expect(endpoints(hosts, '1 9 1 a', '0 3 1 b', '1 1 2 b')).toEqual(['0 3 10.0.0.1:1', '1 1 10.0.0.1:2']);
  });

  test('their number is bounded by what a DNS message can hold', () => {
    const hosts = Array.from({ length: 4096 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const { endpoints: all, tooMany } = srvEndpoints(read('0 0 1 a', '0 0 2 b').targets, () => hosts);
    expect(all).toHaveLength(4096);
    expect(tooMany).toBe(true);
  });

  test('a duplicate record counts once', () => {
    expect(targets('0 1 1 a', '1 9 1 A.', '0 5 1 a', '0 0 2 a')).toEqual(['0 5 a:1', '0 0 a:2']);
  });

  test('a thousand ports of a host with thousands of addresses are not all expanded', () => {
    const hosts = Array.from({ length: 4096 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    let looked = 0;
    const lines = Array.from({ length: 1000 }, (_, i) => `0 0 ${i + 1} a`);
    const { endpoints: all, tooMany } = srvEndpoints(read(...lines).targets, () => {
      looked++;
      return hosts;
    });
    expect({ count: all.length, tooMany }).toEqual({ count: 4096, tooMany: true });
    expect(looked).toBe(2);
  });
});
