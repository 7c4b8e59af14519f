import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpuTime } from '../../../../test/support/time/cpu-time.js';
import { check } from '../../../../test/properties/check.js';
import type { Endpoint } from './endpoint.js';
import { checkEndpoints, MAX_ENDPOINTS } from './endpoint-check.js';

const ADDRESS = { host: '10.0.0.1', port: 50_051 };
const at = (port: number): Endpoint => ({ address: { host: '10.0.0.1', port } });

describe('an endpoint is used', () => {
  test.each<[Endpoint]>([
    [{ address: ADDRESS }],
    [{ address: { host: '::1', port: 1 } }],
    [{ address: { host: 'bücher.example', port: 65_535 } }],
    [{ address: { path: '/run/orders.sock' } }],
    [{ address: ADDRESS, weight: 1 }],
    [{ address: ADDRESS, weight: 4_294_967_295 }],
    [{ address: ADDRESS, priority: 0 }],
    [{ address: ADDRESS, priority: 127 }],
    [{ address: ADDRESS, degraded: true }],
    [{ address: ADDRESS, locality: {} }],
    [{ address: ADDRESS, locality: { region: 'eu', zone: 'a', subZone: 'node-1' } }],
  ])('as in %j', (endpoint) => {
    expect(checkEndpoints([endpoint])).toEqual({ good: [endpoint], dropped: 0, fault: undefined });
  });
});

describe('only known fields of an endpoint are used:', () => {
  test('an address cannot smuggle in options of net.connect()', () => {
    const more = { fd: 1, localAddress: '10.0.0.9', localPort: 1, lookup: () => {}, onread: {}, signal: {}, family: 6 };
    const list = [
      { address: { host: 'a', port: 1, ...more }, addresses: [] },
      { address: { path: '/a.sock', host: 'b', ...more } },
    ];
    expect(checkEndpoints(list).good).toEqual([{ address: { host: 'a', port: 1 } }, { address: { path: '/a.sock' } }]);
  });

  test('later changes by its source have no effect', () => {
    const address = { host: 'a', port: 1 };
    const { good } = checkEndpoints([{ address }]);
    address.port = -1;
    expect(good).toEqual([{ address: { host: 'a', port: 1 } }]);
  });

  test('a locality has short, printable names', () => {
    const locality = { region: 'eu\n', zone: 'x'.repeat(1_000_000), subZone: 'node-1', more: 1 };
    const [endpoint] = checkEndpoints([{ address: ADDRESS, locality }]).good;
    expect(endpoint!.locality).toEqual({
      region: 'eu\\n',
      zone: expect.stringMatching(/^x+\.\.\. /),
      subZone: 'node-1',
    });
    expect(endpoint!.locality!.zone).toHaveLength(256);
  });
});

describe('an endpoint is dropped', () => {
  const NO_ADDRESS = 'no address with a host and a port from 1 to 65535, or a path';
  const WEIGHT = 'a weight that is not a whole number from 1 to 4294967295';
  const PRIORITY = 'a priority that is not a whole number from 0 to 127';
  const SHAPE = 'an address of more than 256 characters, or with control characters';
  const LOCALITY = 'a locality whose region, zone or subZone is not a string';
  test.each<[unknown, string]>([
    ...[null, undefined, 1, 'a:1', [], {}, { address: null }, { address: 'a:1' }, { address: [] }].map(
      (each): [unknown, string] => [each, NO_ADDRESS],
    ),
    ...[
      {},
      { host: 'a' },
      { port: 1 },
      { host: '', port: 1 },
      { host: 1, port: 1 },
      { host: 'a', port: 0 },
      { host: 'a', port: -1 },
      { host: 'a', port: 65_536 },
      { host: 'a', port: 1.5 },
      { host: 'a', port: '1' },
      { host: 'a', port: Number.NaN },
      { path: '' },
      { path: 1 },
      // Ambiguous: host or path?
      { path: '', host: 'a', port: 1 },
      { path: null, host: 'a', port: 1 },
    ].map((address): [unknown, string] => [{ address }, NO_ADDRESS]),
    ...[
      { host: 'x'.repeat(257), port: 1 },
      { host: 'a\nb', port: 1 },
      { host: '\u202ea', port: 1 },
      { path: `/${'x'.repeat(256)}` },
      { path: '/run/\u001b[31m.sock' },
      { path: '\u0000abstract' },
    ].map((address): [unknown, string] => [{ address }, SHAPE]),
    ...[0, -1, 0.5, Number.NaN, Infinity, '1', null, 4_294_967_296].map((weight): [unknown, string] => [
      { address: ADDRESS, weight },
      WEIGHT,
    ]),
    ...[-1, 128, 0.5, '0', null, Number.NaN].map((priority): [unknown, string] => [
      { address: ADDRESS, priority },
      PRIORITY,
    ]),
    ...[null, 'a', ['a'], { zone: 1 }, { region: null }, { subZone: {} }].map((locality): [unknown, string] => [
      { address: ADDRESS, locality },
      LOCALITY,
    ]),
    [{ address: ADDRESS, degraded: 'yes' }, 'a degraded that is not true or false'],
  ])('as %j', (endpoint, fault) => {
    const { good, dropped, fault: told } = checkEndpoints([endpoint, at(1)]);
    expect(good).toEqual([at(1)]);
    expect(dropped).toBe(1);
    expect(told).toContain(fault);
    expect(told!.length).toBeLessThan(200);
  });

  test('and its report is harmless', () => {
    const cycle: Record<string, unknown> = { big: 1n, text: 'x'.repeat(1_000_000) };
    cycle['self'] = cycle;
    const hostile = {
      toJSON: () => {
        throw new Error('no');
      },
    };
    for (const each of [cycle, hostile, { address: { host: 'x'.repeat(1_000_000), port: 0 } }]) {
      expect(checkEndpoints([each]).fault!.length).toBeLessThan(200);
    }
  });
});

test.each([undefined, null, {}, 'a:1', 5, new Map()])('a value that is not a list, as %j, is one fault', (list) => {
  expect(checkEndpoints(list)).toMatchObject({ good: [], dropped: 1, fault: expect.stringContaining('not an array') });
});

describe('a list that is too long', () => {
  const many = (count: number): Endpoint[] => Array.from({ length: count }, (_, i) => at((i % 65_535) + 1));

  test('is truncated with a fault; one of exactly the maximum length is not', () => {
    expect(checkEndpoints(many(MAX_ENDPOINTS))).toMatchObject({ dropped: 0, fault: undefined });
    const { good, dropped, fault } = checkEndpoints(many(MAX_ENDPOINTS + 1));
    expect(good).toHaveLength(MAX_ENDPOINTS);
    expect(dropped).toBe(1);
    expect(fault).toBe('the list has 10001 entries; at most 10000 endpoints are used');
  });

  test('still yields 10 000 endpoints if some are faulty', () => {
    const list = many(15_000).flatMap((each) => [null as unknown as Endpoint, each]);
    expect(checkEndpoints(list)).toMatchObject({ dropped: 20_000, good: { length: MAX_ENDPOINTS } });
  });

  test('costs no more than reading its head, or all of it if every entry is faulty', () => {
    for (const list of [
      many(1_000_000),
      Array.from({ length: 1_000_000 }, () => ({ address: { host: '', port: 1 } })),
    ]) {
      expect(cpuTime(() => checkEndpoints(list))).toBeLessThan(1000);
    }
  });

  test('with holes has faults', () => {
    const list: Endpoint[] = [];
    list[3] = at(1);
    expect(checkEndpoints(list)).toMatchObject({ good: [at(1)], dropped: 3 });
  });
});

test('for any input, the used endpoints come from the list in order, and each entry is either used or counted as dropped', () => {
  const anything = fc.oneof(
    fc.anything(),
    fc.record({ address: fc.record({ host: fc.string(), port: fc.integer({ min: -10, max: 70_000 }) }) }),
    fc.record(
      {
        address: fc.constant(ADDRESS),
        weight: fc.oneof(fc.integer(), fc.anything()),
        priority: fc.oneof(fc.integer({ min: -1, max: 130 }), fc.anything()),
        locality: fc.oneof(fc.record({ zone: fc.string() }), fc.anything()),
      },
      { requiredKeys: ['address'] },
    ),
  );
  check(
    fc.property(fc.array(anything), (list) => {
      const { good, dropped, fault } = checkEndpoints(list);
      expect(good.length + dropped).toBe(list.length);
      expect(fault === undefined).toBe(dropped === 0);
      let from = 0;
      for (const each of good) {
        const is = (one: unknown): boolean => {
          const { address } = (one ?? {}) as { readonly address?: Partial<Record<'host' | 'port' | 'path', unknown>> };
          const { host, port, path } = address ?? {};
          return isDeepStrictEqual(each.address, path === undefined ? { host, port } : { path });
        };
        const found = list.slice(from).findIndex(is);
        from = found < 0 ? 0 : from + found + 1;
        expect(from).toBeGreaterThan(0);
      }
    }),
    1000,
  );
});
