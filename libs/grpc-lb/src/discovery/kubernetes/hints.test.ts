import { describe, expect, test } from 'vitest';
import { type PodEntry, slice } from '../../../../../test/support/kubernetes/slices.js';
import { readSlice, type Slice } from './endpoint-slice.js';
import type { Place } from './hints.js';
import { effectiveKubernetesOptions } from './kubernetes-options.js';
import { mergeSlices } from './merge-slices.js';

const HERE: Place = { zone: 'a', node: 'node-1' };

/** The priority of each pod. */
function priorities(pods: readonly Omit<PodEntry, 'ip'>[], place: Place | undefined = HERE): number[] {
  const named = pods.map((pod, i) => ({ ...pod, ip: `10.0.0.${i + 1}` }));
  const merged = mergeSlices([readSlice(slice({ name: 's', pods: named }), () => {}) as Slice], 'grpc', 'IPv4', place);
  if ('problem' in merged) throw new Error(merged.problem);
  return merged.endpoints.map(({ priority = 0 }) => priority);
}

const inZone = (zone: string, more: object = {}) => ({ zone, forZones: [zone], ...more });
const onNode = (node: string, zone: string) => ({ zone, node, forZones: [zone], forNodes: [node] });

describe('hints', () => {
  test('of PreferSameZone: pods for other zones are the fallback', () => {
    expect(priorities([inZone('a'), inZone('b'), inZone('a')])).toEqual([0, 1, 0]);
  });

  test('of PreferSameNode: those of the node come first, whatever their zone; without one, those of the zone', () => {
    expect(priorities([onNode('node-1', 'a'), onNode('node-2', 'a'), onNode('node-3', 'b')])).toEqual([0, 1, 1]);
    expect(priorities([onNode('node-2', 'a'), onNode('node-3', 'b')])).toEqual([0, 1]);
  });

  test('may be for another zone than that of the pod, and for several', () => {
    expect(priorities([{ zone: 'b', forZones: ['a', 'c'] }, inZone('b')])).toEqual([0, 1]);
  });

  test.each([
    ['one pod has none', [inZone('a'), inZone('b'), { zone: 'b' }]],
    ['none is for this zone', [inZone('b'), inZone('c'), inZone('c')]],
    ['they are not a list of names', [inZone('a'), { forZones: [7 as unknown as string] }, inZone('b')]],
  ])('do not count if %s', (_, pods) => {
    expect(priorities(pods)).toEqual([0, 0, 0]);
  });

  test('of pods that are not ready do not count', () => {
    expect(priorities([inZone('b'), { zone: 'a', forZones: ['a'], ready: false }])).toEqual([0]);
    expect(priorities([inZone('a'), inZone('b'), { ready: false }])).toEqual([0, 1]);
  });

  test('are ignored unless they are asked for', () => {
    const merged = mergeSlices(
      [readSlice(slice({ name: 's', pods: [{ ip: '10.0.0.1', ...inZone('a') }] }), () => {}) as Slice],
      'grpc',
      'IPv4',
    );
    expect(merged).toEqual({ endpoints: [{ address: { host: '10.0.0.1', port: 50051 }, locality: { zone: 'a' } }] });
    expect(priorities([inZone('b'), inZone('a')], { zone: undefined, node: undefined })).toEqual([0, 0]);
  });
});

describe('the option', () => {
  test('takes the place from the environment, or as given', () => {
    process.env['GRPC_LB_ZONE'] = ' a ';
    try {
      expect(effectiveKubernetesOptions({ hints: true }).place).toEqual({ zone: 'a', node: undefined });
      expect(effectiveKubernetesOptions({ hints: { node: 'n' } }).place).toEqual({ zone: 'a', node: 'n' });
      expect(effectiveKubernetesOptions({ hints: false }).place).toBeUndefined();
      expect(effectiveKubernetesOptions({}).place).toBeUndefined();
    } finally {
      delete process.env['GRPC_LB_ZONE'];
    }
  });

  test('is refused if the place is unknown, or is no place', () => {
    expect(() => effectiveKubernetesOptions({ hints: true })).toThrow(
      'options.hints needs to know where this process runs; set the environment variables GRPC_LB_ZONE and GRPC_LB_NODE',
    );
    expect(() => effectiveKubernetesOptions({ hints: 'zone' as unknown as true })).toThrow(
      'options.hints is "zone"; use true, false, or { zone, node }',
    );
    expect(() => effectiveKubernetesOptions({ hints: { zone: '' } })).toThrow('options.hints.zone is ""');
  });
});
