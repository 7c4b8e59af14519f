import { expect, test } from 'vitest';
import type { ObservedCall } from '../../grpc/call/call-observer.js';
import { ClientSeries } from './client-series.js';
import { Counters } from './counters.js';
import { NO_SERIES } from './series.js';

function seriesOf(): { call: (method: string, declared?: boolean) => void; named: () => Set<unknown> } {
  const counters = new Counters();
  const source = { counters, histogram: () => NO_SERIES, context: () => undefined };
  const series = new ClientSeries(source, 'ORDERS', 'dns:///orders', () => true);
  const call = (method: string, declared = false): void =>
    void series.method({ method: `/${method}`, declared } as ObservedCall).started.value++;
  const named = (): Set<unknown> => {
    const names = new Set<unknown>();
    counters.collect((_, { 'grpc.method': method }) => method !== undefined && names.add(method));
    return names;
  };
  return { call, named };
}

test('a filter that names all methods names the first 1000 that the client does not declare', () => {
  const { call, named } = seriesOf();
  for (let i = 0; i < 1500; i++) call(`a.B/M${i}`);
  call('a.B/M7');
  expect(named().size).toBe(1001);
  expect(named()).toContain('other');
  expect(named()).toContain('a.B/M999');
  expect(named()).not.toContain('a.B/M1000');
});

test('strangers that choose names take no place of the methods that the client declares', () => {
  const { call, named } = seriesOf();
  for (let i = 0; i < 1500; i++) call(`a.B/M${i}`);
  for (let i = 0; i < 1500; i++) call(`orders.v1.Orders/M${i}`, true);
  expect(named().size).toBe(2501);
});

test('a long name is "other", unless the client declares it', () => {
  const { call, named } = seriesOf();
  const long = `a.B/${'M'.repeat(252)}`;
  call(long.slice(1));
  call(long);
  expect([...named()]).toEqual([long.slice(1), 'other']);
  call(long, true);
  expect(named()).toContain(long);
});
