import { expect, test } from 'vitest';
import { Tally } from './tally.js';

test('a summary counts by backend, and knows percentiles to a tenth of a millisecond', () => {
  const tally = new Tally('balanced', 'least_request', ['a', 'b']);
  for (let latencyMs = 1; latencyMs <= 100; latencyMs++) tally.add({ ok: true, latencyMs, address: 'a' });
  expect(tally.summary()).toEqual({
    phase: 'balanced',
    policy: 'least_request',
    calls: 100,
    errors: 0,
    p50: 50,
    p99: 99,
    endpoints: { a: 100, b: 0 },
  });
});

test('an error counts as a call but not as a latency, and for a backend only if one answered', () => {
  const tally = new Tally('balanced', 'least_request', ['a']);
  tally.add({ ok: false, latencyMs: 5000, address: null });
  tally.add({ ok: false, latencyMs: 5000, address: 'a' });
  expect(tally.summary()).toMatchObject({ calls: 2, errors: 2, p50: null, p99: null, endpoints: { a: 1 } });
});
