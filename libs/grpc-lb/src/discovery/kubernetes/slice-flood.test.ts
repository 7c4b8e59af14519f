import { expect, test } from 'vitest';
import { MemorySource } from '../../../../../test/support/kubernetes/memory.js';
import { slice, type SliceSpec } from '../../../../../test/support/kubernetes/slices.js';
import { readSlice, type Slice } from './endpoint-slice.js';
import { mergeSlices } from './merge-slices.js';
import { SliceStore } from './slice-store.js';

/** Bounds on the cost of a large or hostile API server. Counts work; the CPU bounds hold on a busy machine. */

const added = (spec: SliceSpec): object => {
  const object = slice(spec);
  return { type: 'ADDED', object: { ...object, metadata: { ...object.metadata, resourceVersion: '2000' } } };
};
const ip = (number: number): string => `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
const seconds = (work: () => void): number => {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
};
const readable = (spec: SliceSpec): Slice => readSlice(slice(spec), () => {}) as Slice;

test('12413 slices that are added at once are merged a few times, and every one is in the list', async () => {
  const source = new MemorySource();
  source.api.store.apply(slice({ name: 'a', pods: ['10.0.0.1'] }));
  await source.start();
  await source.advance(5000);
  const before = source.lists.length;
  const events = Array.from({ length: 12_413 }, (_, i) => added({ name: `slice-${i}`, pods: [ip(i)] }));
  const used = seconds(() => {
    for (let i = 0; i < events.length; i += 50) source.api.send(...events.slice(i, i + 50));
  });
  // To merge after each of these 249 pieces would look at three million entries; 35 s with a copy for each event.
  expect(source.lists.length - before).toBeLessThan(20);
  expect(used).toBeLessThan(5);
  // At most 40000 entries at 200 a millisecond later.
  await source.advance(200);
  expect(source.last).toHaveLength(12_413);
  source.source.stop();
  expect(source.clock.pendingTimers).toBe(0);
});

test('a change of a Service of 10000 endpoints is reported within 100 ms, and many are coalesced', async () => {
  const source = new MemorySource();
  for (let i = 0; i < 100; i++) {
    source.api.store.apply(slice({ name: `slice-${i}`, pods: Array.from({ length: 100 }, (_, j) => ip(i * 100 + j)) }));
  }
  await source.start();
  for (let i = 0; i < 50; i++) source.api.store.apply(slice({ name: `slice-${i}`, pods: [] }));
  await source.advance(100);
  expect(source.last).toHaveLength(5000);
  expect(source.lists.length).toBeLessThan(10);
  source.source.stop();
});

test('pending changes are reported before an error, so that they do not look like a recovery', async () => {
  const source = new MemorySource();
  source.api.store.apply(slice({ name: 'a', pods: Array.from({ length: 1000 }, (_, j) => ip(j)) }));
  await source.start();
  await source.advance(5000);
  const said: string[] = [];
  source.onEndpoints = (endpoints) => said.push(`list of ${endpoints.length}`);
  source.onError = () => said.push('error');
  for (let i = 0; i < 40; i++) source.api.send(added({ name: `b${i}`, pods: [`10.9.0.${i}`] }));
  expect(said.at(-1)).not.toBe('list of 1040');
  source.api.send({ type: 'NONSENSE' });
  await source.advance(0);
  expect(said.slice(-2)).toEqual(['list of 1040', 'error']);
  source.source.stop();
});

test('a slice that repeats a port has it once', () => {
  const ports = Array.from({ length: 1000 }, (_, i) => ({ name: 'grpc', port: 1 + i }));
  const pods = Array.from({ length: 1000 }, (_, i) => ip(i));
  // A million endpoints took 9 s, and nine million ended the process.
  const merged = mergeSlices([readable({ name: 'a', ports, pods })], 'grpc', 'IPv4');
  expect(merged).toMatchObject({ endpoints: { length: 1000 } });
});

test('a slice with more endpoints and ports than Kubernetes allows is truncated with one warning', () => {
  const warnings: string[] = [];
  const ports = Array.from({ length: 3000 }, (_, i) => ({ name: `p${i}`, port: 1 + i }));
  const object = slice({ name: 'a', ports, pods: Array.from({ length: 3000 }, (_, i) => ip(i)) });
  expect(readSlice(object, (text) => warnings.push(text))).toMatchObject({
    ports: { length: 1000 },
    endpoints: { length: 1000 },
  });
  expect(warnings).toEqual(['EndpointSlice a has 3000 endpoints and 3000 ports; the first 1000 of each are used']);
});

test('a thousand invalid entries cause one warning', () => {
  const warnings: string[] = [];
  const endpoints = Array.from({ length: 1000 }, () => 7);
  readSlice({ ...slice({ name: 'a', pods: [] }), endpoints }, (text) => warnings.push(text));
  expect(warnings).toEqual(['EndpointSlice a: 7 has no IPv4 address, and is ignored, with 999 more']);
});

test('slices beyond the total limit are left out with a warning, and earlier ones stay', () => {
  const warnings: string[] = [];
  const store = new SliceStore((text) => warnings.push(text));
  const pods = Array.from({ length: 1000 }, (_, i) => ip(i));
  for (let i = 0; i < 60; i++) store.apply(added({ name: `slice-${i}`, pods }));
  expect(store.slices.size).toBe(39);
  expect(store.slices.entries).toBeLessThanOrEqual(40_000);
  expect(new Set(warnings)).toEqual(
    new Set([expect.stringMatching(/hold more than 40000 endpoints, ports and slices; the rest is ignored/)]),
  );
  store.apply({ ...added({ name: 'slice-0', pods: [] }), type: 'MODIFIED' });
  store.apply(added({ name: 'slice-59', pods: pods.slice(0, 900) }));
  expect(store.slices.size).toBe(40);
});

test('names longer than Kubernetes allows are dropped', () => {
  const long = 'x'.repeat(100_000);
  const endpoint = { addresses: ['10.0.0.1'], zone: long, nodeName: long, targetRef: { uid: long } };
  const object = { ...slice({ name: 'a', pods: [] }), endpoints: [endpoint] };
  expect(readSlice(object, () => {})).toMatchObject({ endpoints: [{ zone: undefined, node: undefined, uid: '' }] });
  expect(readSlice({ ...object, metadata: { name: long } }, () => {})).toMatch(/^an EndpointSlice without a name/);
});
