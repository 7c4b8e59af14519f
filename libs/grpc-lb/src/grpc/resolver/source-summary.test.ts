import { describe, expect, test } from 'vitest';
import type { SourceSnapshot } from '../../core/snapshot.js';
import { pendingSource, summaryOf } from './source-summary.js';

const source = (more: Partial<SourceSnapshot>): SourceSnapshot => ({ ...pendingSource('dns:///a:1'), ...more });

test('a target that has not been resolved yet is pending', () => {
  expect(pendingSource('static:///a:1,b:2')).toEqual({
    target: 'static:///a:1,b:2',
    kind: 'static',
    state: 'pending',
    lastUpdate: null,
    staleForMs: null,
    error: null,
    clusterIp: false,
    dropped: 0,
    endpoints: 0,
    updates: 0,
    failures: 0,
  });
  expect(pendingSource('orders:50051').kind).toBe('dns');
});

test('a target is shown without its secrets', () => {
  const { target, kind } = pendingSource('registry://me:SECRET@host/orders');
  expect({ target, kind }).toEqual({ target: 'registry://...@host/orders', kind: 'registry' });
});

test('the summary of one target is that target', () => {
  const one = source({ state: 'stale', endpoints: 3, error: 'x' });
  expect(summaryOf([one])).toBe(one);
});

test('the summary of several has the sums, the latest update, the longest staleness, and the first error', () => {
  const sources = [
    source({ target: 'dns:///a:1', state: 'ok', endpoints: 2, updates: 5, lastUpdate: 100, dropped: 1 }),
    source({
      target: 'kubernetes:///b',
      kind: 'kubernetes',
      state: 'stale',
      endpoints: 1,
      updates: 1,
      failures: 2,
      lastUpdate: 50,
      staleForMs: 9,
      error: 'first',
    }),
    source({ target: 'dns:///c:1', state: 'stale', lastUpdate: 70, staleForMs: 7, failures: 1, error: 'second' }),
  ];
  expect(summaryOf(sources)).toEqual({
    target: 'dns:///a:1 kubernetes:///b dns:///c:1',
    kind: 'dns kubernetes',
    state: 'stale',
    lastUpdate: 100,
    staleForMs: 9,
    error: 'first',
    clusterIp: false,
    dropped: 1,
    endpoints: 3,
    updates: 6,
    failures: 3,
  });
});

describe('the summary state', () => {
  type State = SourceSnapshot['state'];
  test.each<[State, [State, number][]]>([
    [
      'ok',
      [
        ['ok', 1],
        ['ok', 0],
      ],
    ],
    [
      'pending',
      [
        ['ok', 1],
        ['pending', 0],
      ],
    ],
    [
      'stale',
      [
        ['ok', 1],
        ['stale', 1],
      ],
    ],
    // One target has failed, but another has a list.
    [
      'stale',
      [
        ['failed', 0],
        ['ok', 1],
      ],
    ],
    [
      'failed',
      [
        ['failed', 0],
        ['failed', 0],
      ],
    ],
    [
      'failed',
      [
        ['failed', 0],
        ['pending', 0],
      ],
    ],
    [
      'failed',
      [
        ['failed', 0],
        ['ok', 0],
      ],
    ],
    [
      'stale',
      [
        ['pending', 0],
        ['stale', 1],
      ],
    ],
  ])('is %s of %j', (state, of) => {
    expect(summaryOf(of.map(([each, endpoints]) => source({ state: each, endpoints }))).state).toBe(state);
  });
});
