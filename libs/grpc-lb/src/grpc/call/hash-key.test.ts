import { Metadata } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { effectiveLoadBalancing, type LoadBalancingOptions } from '../../core/options/load-balancing.js';
import type { HashKeySource } from '../../core/options/ring-hash-options.js';
import { hashKeyOf, withHashKey } from './hash-key.js';

const PATH = '/orders.v1.Orders/Find';

function metadataOf(...entries: [string, string][]): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of entries) metadata.add(key, value);
  return metadata;
}

/** The key that the picker sees for a call made by a stub. */
function keyOf(by: HashKeySource, request: unknown, metadata = new Metadata()): string | undefined {
  const loadBalancing = effectiveLoadBalancing({ policy: { name: 'ring_hash', by } });
  // grpc-js copies metadata on its way, more than once.
  return hashKeyOf(by, withHashKey(loadBalancing, request, metadata, PATH).clone().clone());
}

describe('the key of a call', () => {
  test('by metadata is the value; several are joined by a comma, and a missing one gives no key (gRFC A76)', () => {
    expect(keyOf('x-id', {}, metadataOf(['x-id', '7']))).toBe('7');
    expect(keyOf('X-Id', {}, metadataOf(['x-id', '7']))).toBe('7');
    expect(keyOf('x-id', {}, metadataOf(['x-id', '7'], ['x-id', '8']))).toBe('7,8');
    expect(keyOf('x-id', {})).toBeUndefined();
    expect(keyOf('x-id', {}, metadataOf(['x-id', '']))).toBeUndefined();
  });

  test.each<[string, unknown, string | undefined]>([
    ['id', { id: 'a' }, 'a'],
    ['customer.id', { customer: { id: 12 } }, '12'],
    ['id', { id: 0 }, '0'],
    // The proto3 default of an unset string.
    ['id', { id: '' }, undefined],
    ['id', { id: 12345678901234567890n }, '12345678901234567890'],
    ['id', { id: { __isLong__: true, toString: () => '99' } }, '99'],
    ['id', { id: Buffer.from('ab') }, 'ab'],
    ['id', { id: { deeper: 'x' } }, undefined],
    ['id', { id: ['x'] }, undefined],
    ['customer.id', { customer: null }, undefined],
    ['customer.id', { customer: 'x' }, undefined],
    ['toString', {}, undefined],
    ['id', undefined, undefined],
  ])('by the field %s of %o is %o', (field, request, key) => expect(keyOf({ field }, request)).toBe(key));

  test('by a function is its return value', () => {
    const seen: unknown[] = [];
    const by = (request: unknown, given: Metadata, path: string): string => {
      seen.push(request, given.getMap(), path);
      given.set('x-id', 'changed');
      return 'key';
    };
    const metadata = metadataOf(['x-id', '7']);
    expect(keyOf(by, { id: 1 }, metadata)).toBe('key');
    expect(seen).toEqual([{ id: 1 }, { 'x-id': '7' }, PATH]);
    expect(metadata.getMap()).toEqual({ 'x-id': '7' });
    expect(keyOf(() => undefined, {})).toBeUndefined();
  });

  test('does not change the metadata of the caller or its options', () => {
    const metadata = new Metadata({ waitForReady: true });
    metadata.set('x', 'y');
    const loadBalancing = effectiveLoadBalancing({ policy: { name: 'ring_hash', by: { field: 'id' } } });
    const keyed = withHashKey(loadBalancing, { id: 'a' }, metadata, PATH);
    expect(hashKeyOf({ field: 'id' }, metadata)).toBeUndefined();
    expect(keyed.getOptions()).toMatchObject({ waitForReady: true });
    expect(keyed.toHttp2Headers()).toEqual(metadata.toHttp2Headers());
  });

  test('costs nothing if no policy needs it', () => {
    const metadata = new Metadata();
    const unkeyed: LoadBalancingOptions[] = [
      {},
      { policy: 'round_robin' },
      { policy: { name: 'ring_hash', by: 'x-id' } },
      { policy: { name: 'ring_hash', by: { field: 'id' } }, methods: { Find: { policy: 'random' } } },
    ];
    for (const options of unkeyed)
      expect(withHashKey(effectiveLoadBalancing(options), { id: 'a' }, metadata, PATH)).toBe(metadata);
  });

  test('may be configured for a single method', () => {
    const by = { field: 'id' };
    const options = effectiveLoadBalancing({ methods: { Find: { policy: { name: 'ring_hash', by } } } });
    expect(hashKeyOf(by, withHashKey(options, { id: 'a' }, new Metadata(), PATH))).toBe('a');
    expect(hashKeyOf(by, withHashKey(options, { id: 'a' }, new Metadata(), '/o.Orders/List'))).toBeUndefined();
  });
});
