import { expect, test } from 'vitest';
import { RecentLatencies } from './recent-latencies.js';

test('the percentiles are those of calls in the window that succeeded', () => {
  const latencies = new RecentLatencies(1000);
  latencies.add(10, 9999, false);
  for (let i = 1; i <= 100; i++) latencies.add(100, i, false);
  latencies.add(100, 5000, true);
  expect(latencies.view(50)).toEqual({ calls: 101, failed: 1, p50: 50, p99: 99 });
  expect(latencies.view(100)).toEqual({ calls: 0, failed: 0, p50: null, p99: null });
});

test('of more calls than it keeps, it keeps the last', () => {
  const latencies = new RecentLatencies(4);
  for (let i = 1; i <= 10; i++) latencies.add(i, i, false);
  expect(latencies.view(0)).toEqual({ calls: 4, failed: 0, p50: 8, p99: 10 });
});
