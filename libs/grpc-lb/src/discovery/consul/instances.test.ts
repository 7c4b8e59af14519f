import { describe, expect, test } from 'vitest';
import { type AgentInstance, healthEntry } from '../../../../../test/support/discovery/consul-agent.js';
import { addressToString } from '../../core/endpoint.js';
import { InstanceReader, type InstanceRules, type Instances } from './instances.js';

const RULES: InstanceRules = { passing: true, near: undefined, zoneKey: 'zone' };

const entry = (instance: Partial<AgentInstance> = {}): Record<'Node' | 'Service', object> =>
  healthEntry('orders', { port: 50_051, address: '10.0.0.1', ...instance });

function readInstances(entries: readonly unknown[], rules: InstanceRules): Instances {
  const reader = new InstanceReader(rules);
  for (const each of entries) reader.add(each);
  return reader.read();
}

function addresses(entries: readonly unknown[], rules: Partial<InstanceRules> = {}): string[] {
  return readInstances(entries, { ...RULES, ...rules }).endpoints.map(({ address }) => addressToString(address));
}

const one = (instance: Partial<AgentInstance>, rules: Partial<InstanceRules> = {}) =>
  readInstances([entry(instance)], { ...RULES, ...rules }).endpoints[0];

describe('InstanceReader', () => {
  test.each([
    ['10.0.0.9', '10.0.0.9:50051'],
    ['', '10.0.0.7:50051'],
    ['2001:DB8::0:1', '[2001:db8::1]:50051'],
    ['Bücher.example', 'xn--bcher-kva.example:50051'],
  ])('the address %j becomes %s', (address, expected) => {
    expect(addresses([entry({ address, node: { address: '10.0.0.7' } })])).toEqual([expected]);
  });

  test('a service on a Unix socket gets the address of the socket', () => {
    const instance = entry();
    Object.assign(instance.Service, { SocketPath: '/run/orders.sock' });
    expect(addresses([instance])).toEqual(['unix:/run/orders.sock']);
  });

  test('addresses are distinct and sorted, since the order of the answer has no meaning', () => {
    const entries = ['10.0.0.3', '10.0.0.1', '10.0.0.3', '10.0.0.2'].map((address) => entry({ address }));
    expect(addresses(entries)).toEqual(['10.0.0.1:50051', '10.0.0.2:50051', '10.0.0.3:50051']);
  });

  test('addresses keep their order if the answer is sorted by distance', () => {
    const entries = ['10.0.0.3', '10.0.0.1'].map((address) => entry({ address }));
    expect(addresses(entries, { near: '_agent' })).toEqual(['10.0.0.3:50051', '10.0.0.1:50051']);
  });

  test('an instance has the status of its worst check', () => {
    const statuses = ['passing', 'warning', 'critical'] as const;
    const entries = statuses.map((status, i) => entry({ status, address: `10.0.0.${i}` }));
    expect(addresses(entries)).toEqual(['10.0.0.0:50051']);
    expect(addresses(entries, { passing: false })).toEqual(['10.0.0.0:50051', '10.0.0.1:50051']);
    expect(readInstances(entries, RULES).total).toBe(3);
  });

  test('an unknown status counts as critical', () => {
    expect(addresses([entry({ status: 'unwell' as never })], { passing: false })).toEqual([]);
  });

  test('the weight depends on the status; a weight of 0 excludes an instance and is not a fault', () => {
    const weights = { Passing: 10, Warning: 3 };
    expect(one({ weights })).toMatchObject({ weight: 10 });
    expect(one({ weights, status: 'warning' }, { passing: false })).toMatchObject({ weight: 3 });
    const none = entry({ weights: { Passing: 10, Warning: 0 }, status: 'warning' });
    expect(readInstances([none], { ...RULES, passing: false })).toEqual({
      endpoints: [],
      total: 1,
      faulty: 0,
      faults: [],
    });
  });

  test.each([[-1], [1.5], [2 ** 32], ['3'], [null]])('a weight of %j is a fault', (Passing) => {
    const { endpoints, faults } = readInstances([entry({ weights: { Passing, Warning: 1 } as never })], RULES);
    expect(endpoints).toEqual([]);
    expect(faults[0]).toContain('weight is');
  });

  test('the locality is the datacenter, the zone of the service or else of the node, and the node', () => {
    const node = { name: 'node-b', datacenter: 'eu', meta: { zone: 'eu-1' } };
    expect(one({ node })?.locality).toEqual({ region: 'eu', zone: 'eu-1', subZone: 'node-b' });
    expect(one({ node, meta: { zone: 'eu-2' } })?.locality).toMatchObject({ zone: 'eu-2' });
    expect(one({ node, meta: { az: 'eu-3' } }, { zoneKey: 'az' })?.locality).toMatchObject({ zone: 'eu-3' });
    expect(one({})?.locality).toEqual({ region: 'dc1', subZone: 'node-a' });
  });

  test("Consul's own locality takes precedence over metadata", () => {
    const instance = entry({ meta: { zone: 'x' } });
    Object.assign(instance.Service, { Locality: { Region: 'eu-central-1', Zone: 'eu-central-1a' } });
    expect(readInstances([instance], RULES).endpoints[0]!.locality).toMatchObject({
      region: 'eu-central-1',
      zone: 'eu-central-1a',
    });
  });

  test.each([[null], [1], ['x'], [[]], [{}], [{ Node: 1, Service: 'x', Checks: 2 }], [{ Service: { Port: {} } }]])(
    'an entry %j is a fault, and the others stay',
    (bad) => {
      const { endpoints, total, faulty, faults } = readInstances([bad, entry()], RULES);
      expect({ count: endpoints.length, total, faulty }).toEqual({ count: 1, total: 2, faulty: 1 });
      expect(faults[0]).toMatch(/^"instance 1": address is/);
    },
  );

  test('only the first few of many faults are kept', () => {
    const { faulty, faults } = readInstances(Array.from({ length: 20_000 }), RULES);
    expect({ faulty, shown: faults.length }).toEqual({ faulty: 20_000, shown: 3 });
  });

  test('more than 20000 instances are rejected', () => {
    expect(() => readInstances(Array.from({ length: 20_001 }), RULES)).toThrow(
      'the answer has more than 20000 instances',
    );
  });
});
