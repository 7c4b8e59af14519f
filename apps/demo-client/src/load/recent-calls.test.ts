import { expect, test } from 'vitest';
import { RecentCalls } from './recent-calls.js';

const call = (latencyMs: number, address = 'a'): { ok: boolean; latencyMs: number; address: string } => ({
  ok: true,
  latencyMs,
  address,
});

test('calls older than the window are forgotten', () => {
  const recent = new RecentCalls(1000);
  recent.add(0, call(1));
  recent.add(500, call(2));
  recent.add(1400, call(3));
  expect(recent.view(1400).all).toEqual({ calls: 2, errors: 0, p50: 2, p99: 3 });
  expect(recent.view(1400, 100).all).toMatchObject({ calls: 1, p50: 3 });
  expect(recent.view(5000).all).toEqual({ calls: 0, errors: 0, p50: null, p99: null });
});

test('each backend has its own figures', () => {
  const recent = new RecentCalls(1000);
  for (const latencyMs of [10, 20, 30]) recent.add(0, call(latencyMs, 'a'));
  recent.add(0, { ok: false, latencyMs: 99, address: 'b' });
  const { of } = recent.view(0);
  expect(of('a')).toEqual({ calls: 3, errors: 0, p50: 20, p99: 30 });
  expect(of('b')).toEqual({ calls: 1, errors: 1, p50: null, p99: null });
});
