import { describe, expect, test } from 'vitest';
import { cpuTime } from '../../../../../test/support/time/cpu-time.js';
import { assignment, type TestLocality } from '../../../../../test/support/xds/resources.js';
import type { ClusterLoadAssignment } from './eds-messages.js';
import { readAssignment } from './load-assignment.js';

/** As the decoder returns it: with defaults for all omitted fields. */
function read(localities: readonly TestLocality[], policy?: object): ReturnType<typeof readAssignment> {
  const raw = assignment('orders', localities) as { endpoints: Record<string, unknown>[] };
  const endpoints = raw.endpoints.map((each) => ({
    load_balancing_weight: null,
    ...each,
    lb_endpoints: (each['lb_endpoints'] as { endpoint: { address: { socket_address: object } } }[]).map((lb) => ({
      load_balancing_weight: null,
      ...lb,
      endpoint: {
        address: {
          socket_address: { protocol: 'TCP', port_specifier: 'port_value', ...lb.endpoint.address.socket_address },
        },
      },
    })),
  }));
  return readAssignment({
    ...raw,
    endpoints,
    policy: policy ? { drop_overloads: [], overprovisioning_factor: null, ...policy } : null,
  } as unknown as ClusterLoadAssignment);
}

const faultsOf = (...args: Parameters<typeof read>): string[] =>
  read(...args).faults.map(({ path, message }) => `${path} ${message}`);

describe('a ClusterLoadAssignment', () => {
  test('yields addresses with weight, locality and priority, and omits defaults', () => {
    const { endpoints, faults } = read([
      {
        region: 'eu',
        zone: 'eu-1',
        subZone: 'rack-2',
        weight: null,
        endpoints: [
          { host: '10.0.0.1', port: 1, weight: 3 },
          { host: '::1', port: 2 },
        ],
      },
      { weight: null, priority: 1, endpoints: [{ host: 'b.example', port: 3 }] },
    ]);
    expect(faults).toEqual([]);
    const locality = { region: 'eu', zone: 'eu-1', subZone: 'rack-2' };
    expect(endpoints).toEqual([
      { address: { host: '10.0.0.1', port: 1 }, locality, weight: 3 },
      { address: { host: '::1', port: 2 }, locality },
      { address: { host: 'b.example', port: 3 }, priority: 1 },
    ]);
  });

  test('only endpoints with a healthy, unknown or degraded status are used', () => {
    const all = ['UNKNOWN', 'HEALTHY', 'UNHEALTHY', 'DRAINING', 'TIMEOUT', 'DEGRADED'] as const;
    const { endpoints } = read([{ endpoints: all.map((health, i) => ({ port: i + 1, health })) }]);
    expect(endpoints.map(({ address }) => 'port' in address && address.port)).toEqual([1, 2, 6]);
    expect(endpoints.map(({ degraded }) => degraded ?? false)).toEqual([false, false, true]);
  });

  test('an endpoint with an unrecognized status is not used', () => {
    expect(read([{ endpoints: [{ port: 1, health: 77 as never }] }]).endpoints).toEqual([]);
  });

  test('localities share calls by weight, whatever their size, separately within each priority', () => {
    const { endpoints } = read([
      { zone: 'a', weight: 1, endpoints: [{ port: 1 }] },
      { zone: 'b', weight: 1, endpoints: [{ port: 2 }, { port: 3 }] },
      { zone: 'a', weight: 5, priority: 1, endpoints: [{ port: 4, weight: 9 }] },
    ]);
    expect(endpoints.map(({ weight }) => weight ?? 1)).toEqual([2, 1, 1, 9]);
  });

  test('a locality without weight gets no calls while others have one', () => {
    const { endpoints } = read([
      { zone: 'a', weight: null, endpoints: [{ port: 1 }] },
      { zone: 'b', weight: 1, endpoints: [{ port: 2 }] },
    ]);
    expect(endpoints.map(({ address }) => 'port' in address && address.port)).toEqual([2]);
  });

  test('the overprovisioning factor is applied', () => {
    const half: TestLocality[] = [
      { zone: 'a', endpoints: [{ port: 1 }, { port: 2, health: 'UNHEALTHY' }] },
      { zone: 'b', endpoints: [{ port: 3 }] },
    ];
    const weights = (percent?: number): number[] =>
      read(half, percent ? { overprovisioning_factor: { value: percent } } : undefined).endpoints.map(
        (e) => e.weight ?? 1,
      );
    expect(weights()).toEqual([7, 10]);
    expect(weights(100)).toEqual([1, 2]);
    expect(weights(200)).toEqual([1, 1]);
  });

  test('drop overloads cause a warning and drop no calls', () => {
    const { endpoints, warnings } = read([{ endpoints: [{ port: 1 }] }], { drop_overloads: [{ category: 'x' }] });
    expect(endpoints).toHaveLength(1);
    expect(warnings).toEqual(['"orders" sets drop_overloads, which this client does not support; no call is dropped']);
  });

  test('an empty one is valid', () => {
    expect(read([])).toEqual({ endpoints: [], warnings: [], faults: [] });
    expect(read([{ endpoints: [] }]).faults).toEqual([]);
  });

  test.each<[string, readonly TestLocality[], string]>([
    [
      'a port of 0',
      [{ endpoints: [{ port: 0 }] }],
      'endpoints[0].lb_endpoints[0].endpoint.address is "127.0.0.1:0", and "0" is not a port; use a whole number from 1 to 65535',
    ],
    [
      'an invalid host',
      [{ endpoints: [{ host: 'a b', port: 1 }] }],
      'endpoints[0].lb_endpoints[0].endpoint.address is "a b:1", and "a b" is neither a host name nor an IP address',
    ],
    [
      'an endpoint weight of 0',
      [{ endpoints: [{ port: 1, weight: 0 }] }],
      'endpoints[0].lb_endpoints[0] has load_balancing_weight 0; use 1 or more, or remove this option',
    ],
    [
      'an address twice, in two spellings',
      [
        { endpoints: [{ host: '::1', port: 1 }] },
        { zone: 'b', endpoints: [{ host: '0:0::1', port: 1, health: 'UNHEALTHY' }] },
      ],
      'endpoints[1].lb_endpoints[0] is [::1]:1, which is a duplicate; list each address once',
    ],
    [
      'a gap in the priorities',
      [{ endpoints: [{ port: 1 }] }, { priority: 2, endpoints: [{ port: 2 }] }],
      'priority 2 has localities, but priority 1 has none; close the gap',
    ],
    [
      'weights beyond 32 bits',
      [
        { weight: 2 ** 32 - 1, endpoints: [{ port: 1 }] },
        { zone: 'b', endpoints: [{ port: 2 }] },
      ],
      'priority 0 has locality weights with a sum of 4294967296; use 4294967295 at most',
    ],
  ])('%s is a fault', (_, localities, fault) => {
    expect(faultsOf(localities)).toEqual([fault]);
    expect(read(localities).endpoints).toEqual([]);
  });

  test('ten of a thousand faults are reported', () => {
    const bad = Array.from({ length: 1000 }, () => ({ host: '', port: 1 }));
    expect(faultsOf([{ endpoints: bad }])).toHaveLength(10);
  });

  test('ten thousand endpoints in a hundred localities are read within a second of CPU', () => {
    const localities = Array.from({ length: 100 }, (_, i) => ({
      zone: `z${i}`,
      weight: i + 1,
      endpoints: Array.from({ length: 100 }, (__, j) => ({ host: `10.0.${i}.${j}`, port: 50_051 })),
    }));
    expect(cpuTime(() => expect(read(localities).endpoints).toHaveLength(10_000))).toBeLessThan(1000);
  });
});
