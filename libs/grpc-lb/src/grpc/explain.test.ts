import { expect, it } from 'vitest';
import { effectiveLoadBalancing } from '../core/options/load-balancing.js';
import type { PolicyName } from '../core/options/policy-config.js';
import type { ClientSnapshot } from '../core/snapshot.js';
import { explainClient } from './explain.js';
import { pendingSource } from './source-summary.js';

const snapshot = (name: PolicyName): ClientSnapshot => ({
  client: 'ORDERS',
  target: 'static:///a:1',
  state: 'connecting',
  loadBalancing: effectiveLoadBalancing({ policy: name }),
  source: { ...pendingSource('static:///a:1'), state: 'ok', lastUpdate: 0 },
  inFlight: 0,
  pending: 0,
  panic: false,
  endpoints: [],
  sources: [],
  priorities: [],
  zone: null,
});

it.each(['least_request', 'round_robin', 'random', 'pick_first'] as const)(
  '%s: without a ready endpoint the rule says so, and does not count to none',
  (name) => expect(explainClient(snapshot(name), []).rule).toBe(`${name}: no endpoint is ready`),
);

it('with one it is in force', () => {
  expect(explainClient(snapshot('round_robin'), [['a:1', 1]]).rule).toContain('1 ready endpoints');
});
