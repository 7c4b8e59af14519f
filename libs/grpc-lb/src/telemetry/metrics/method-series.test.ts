import { expect, test } from 'vitest';
import { Counters } from './counters.js';
import { MethodSeries } from './method-series.js';
import { NO_SERIES } from './series.js';

const CODES = 500_000;

test('a peer that sends another number as the status of each call does not make it grow', () => {
  const source = { counters: new Counters(), histogram: () => NO_SERIES, context: () => undefined };
  const method = new MethodSeries(source, 'orders.v1.Orders/Find', 'dns:///orders', { 'server.address': 'orders' });
  const unknown = method.ofStatus(2);
  // Far apart, so that an array would keep each.
  const all = (from: number): boolean => {
    let same = true;
    for (let i = 0; i < CODES; i++) same &&= method.ofStatus(from + i * 7919) === unknown;
    return same;
  };
  const before = process.memoryUsage().heapUsed;
  expect(all(100)).toBe(true);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 1024 * 1024);
});
