import { describe, expect, test } from 'vitest';
import { effectiveLoadBalancing } from '../core/options/load-balancing.js';
import type { ClientSnapshot, EndpointSnapshot, EndpointState } from '../core/snapshot.js';
import { Totals } from '../core/totals.js';
import { type ClientHealth, healthOf } from './client-health.js';
import { type MinReady, readMinReady } from './min-ready.js';

const SINCE = Date.UTC(2026, 0, 2, 3, 4, 5);
const SOURCE = {
  target: 'dns:///orders:50051',
  kind: 'dns',
  lastUpdate: SINCE,
  staleForMs: null,
  error: null,
  clusterIp: false,
  dropped: 0,
  endpoints: 1,
  updates: 1,
  failures: 0,
};

function endpoint(state: EndpointState, i: number): EndpointSnapshot {
  return {
    address: `10.0.0.${i + 1}:50051`,
    state,
    since: SINCE + i,
    reason: state === 'ready' ? null : `it is ${state}`,
    weight: 1,
    priority: 0,
    locality: null,
    warmth: 1,
    failureRate: 0,
    refusalRate: 0,
    shed: {},
    shedding: false,
    inFlight: i,
    streams: { open: 0, oldestMs: null, medianMs: null },
    started: 0,
    succeeded: 0,
    failed: 0,
    connections: [],
  };
}

function snapshot(states: EndpointState[], more: Partial<ClientSnapshot> = {}): ClientSnapshot {
  return {
    client: 'ORDERS',
    target: 'dns:///orders:50051',
    state: 'ready',
    loadBalancing: effectiveLoadBalancing(),
    source: { ...SOURCE, state: 'ok' },
    inFlight: 0,
    pending: 0,
    panic: false,
    endpoints: states.map(endpoint),
    sources: [],
    priorities: [],
    zone: null,
    keepaliveTime: null,
    totals: new Totals().snapshot(),
    ...more,
  };
}

const health = (snapshotNow: ClientSnapshot, minReady: MinReady = 1): ClientHealth =>
  healthOf(snapshotNow, readMinReady(minReady));

describe('a client is', () => {
  test.each<[ClientHealth['status'], EndpointState[], MinReady]>([
    ['up', ['ready'], 1],
    ['up', ['ready', 'ready', 'ready'], '100%'],
    ['degraded', ['ready', 'not_serving'], 1],
    ['degraded', ['ready', 'ejected'], '50%'],
    ['degraded', ['ready', 'connecting', 'transient_failure'], 1],
    ['degraded', ['ready', 'ready', 'not_serving', 'not_serving'], 2],
    ['degraded', ['ready', 'degraded'], 2],
    ['degraded', ['degraded', 'degraded'], 1],
    ['down', ['degraded', 'ejected'], 2],
    ['down', ['ready', 'not_serving'], 2],
    ['down', ['ready', 'not_serving', 'not_serving'], '50%'],
    ['down', ['ready', 'ejected'], '51%'],
    ['down', ['not_serving', 'ejected', 'connecting', 'transient_failure'], 1],
    ['down', [], 1],
    ['down', [], '50%'],
    ['down', ['ready', 'ready'], 3],
  ])('%s with %j, of which %j must be ready', (status, states, minReady) => {
    expect(health(snapshot(states), minReady).status).toBe(status);
  });

  test('judged by the endpoints that discovery lists: draining ones do not count', () => {
    expect(health(snapshot(['ready', 'draining']), '100%')).toMatchObject({ status: 'up', ready: 1, total: 1 });
    expect(health(snapshot(['draining']), 1)).toMatchObject({ status: 'down', ready: 0, total: 0, required: 1 });
  });
});

describe('discovery', () => {
  const stale = (state: 'stale' | 'pending' | 'failed', error: string | null) =>
    snapshot(['ready'], { source: { ...SOURCE, state, staleForMs: 5, error } });

  test('that fails degrades a client whose endpoints are all healthy, with the reason', () => {
    expect(health(stale('stale', 'DNS lookup of "orders" failed: ENOTFOUND'))).toMatchObject({
      status: 'degraded',
      message:
        '1 of 1 endpoints are ready, at least 1 required; discovery is stale: DNS lookup of "orders" failed: ENOTFOUND',
      discovery: { state: 'stale', error: 'DNS lookup of "orders" failed: ENOTFOUND' },
    });
  });

  test('that lists no endpoints takes the client down, with that reason', () => {
    expect(health(snapshot([], { source: { ...SOURCE, state: 'ok', endpoints: 0 } }))).toMatchObject({
      status: 'down',
      message: '0 of 0 endpoints are ready, at least 1 required; discovery lists no endpoints',
    });
  });

  test('without an error has no reason in the message', () => {
    expect(health(stale('pending', null)).message).toBe(
      '1 of 1 endpoints are ready, at least 1 required; discovery is pending',
    );
  });

  test('that fails takes no client with enough endpoints down, and does not make one that is down degraded', () => {
    expect(health(stale('failed', 'x')).status).toBe('degraded');
    expect(health(stale('stale', 'x'), 2).status).toBe('down');
  });
});

describe('failover', () => {
  const priorityOf = (priority: number, share: number, endpoints: number, healthy: number) => ({
    priority,
    share,
    endpoints,
    healthy,
    degraded: 0,
    crossZoneShare: null,
  });
  /** States of the endpoints of priority 0, 1, ... and the shares of those priorities that are connected. */
  const at = (states: EndpointState[][], shares: (number | undefined)[]): ClientSnapshot => {
    const flat = states.flatMap((group, priority) => group.map((state) => ({ state, priority })));
    return snapshot([], {
      endpoints: flat.map(({ state, priority }, i) => ({ ...endpoint(state, i), priority })),
      priorities: shares.flatMap((share, priority) => {
        const group = states[priority]!;
        const healthy = group.filter((state) => state === 'ready').length;
        return share === undefined ? [] : [priorityOf(priority, share, group.length, healthy)];
      }),
    });
  };

  test('does not occur while the first priority has enough capacity: standby endpoints do not count', () => {
    expect(health(at([['ready'], ['transient_failure']], [1, 0]), '100%')).toMatchObject({
      status: 'up',
      ready: 1,
      total: 1,
    });
    expect(health(at([['ready', 'not_serving'], ['ready']], [1, 0]), '50%')).toMatchObject({
      status: 'degraded',
      message: '1 of 2 endpoints in use are ready, at least 1 required',
    });
  });

  test('counts only endpoints in use, and the message gives the number of better ones that are not ready', () => {
    const over = (states: EndpointState[][], shares: number[]): string => health(at(states, shares)).message;
    expect(over([['transient_failure', 'ejected'], ['ready']], [0, 1])).toBe(
      '1 of 1 endpoints in use are ready (2 of priority 0 are not), at least 1 required; 0 % of calls go to the endpoints of priority 0',
    );
    expect(over([['ejected'], ['transient_failure'], ['ready', 'not_serving']], [0, 0, 1])).toContain(
      '1 of 2 endpoints in use are ready (2 of better priorities are not), at least 1 required; 0 %',
    );
    expect(over([['ready'], ['transient_failure']], [1, 0])).toBe(
      '1 of 1 endpoints in use are ready, at least 1 required',
    );
  });

  test('degrades the client even if all endpoints in use are healthy', () => {
    const over = at(
      [
        ['transient_failure', 'transient_failure'],
        ['ready', 'ready'],
      ],
      [0, 1],
    );
    expect(health(over, '100%')).toMatchObject({
      status: 'degraded',
      message:
        '2 of 2 endpoints in use are ready (2 of priority 0 are not), at least 2 required; 0 % of calls go to the endpoints of priority 0',
    });
    expect(Object.keys(health(over).endpoints)).toHaveLength(4);
  });

  test('of some calls counts the endpoints of all priorities in use', () => {
    const part = at(
      [
        ['ready', 'not_serving', 'not_serving', 'not_serving'],
        ['ready', 'ready'],
      ],
      [0.5, 0.5],
    );
    expect(health(part, '50%')).toMatchObject({
      status: 'degraded',
      message: '3 of 6 endpoints are ready, at least 3 required; 50 % of calls go to the endpoints of priority 0',
    });
    expect(health(part, '51%').status).toBe('down');
  });

  test('is reported even if the first target no longer lists endpoints', () => {
    expect(health(at([[], ['ready']], [undefined, 1]))).toMatchObject({
      status: 'degraded',
      message: '1 of 1 endpoints are ready, at least 1 required; 0 % of calls go to the endpoints of priority 0',
    });
  });

  test('to no endpoint is reported as a plain outage', () => {
    expect(health(at([['transient_failure'], ['transient_failure']], [0, 0]))).toMatchObject({
      status: 'down',
      message: '0 of 2 endpoints are ready, at least 1 required',
    });
  });

  test('is reported together with discovery failures', () => {
    const both = {
      ...at([['not_serving'], ['ready']], [0, 1]),
      source: { ...SOURCE, state: 'stale' as const, error: 'x' },
    };
    expect(health(both).message).toBe(
      '1 of 1 endpoints in use are ready (1 of priority 0 are not), at least 1 required; 0 % of calls go to the endpoints of priority 0; discovery is stale: x',
    );
  });
});

describe('certificates', () => {
  const tls = {
    state: 'ok',
    error: null,
    name: 'orders',
    fingerprint: 'ab',
    expires: SINCE,
    expiresInMs: 90_500,
    expiring: false,
    authorities: 1,
    authoritiesExpire: SINCE,
    lastUpdate: SINCE,
    rotations: 0,
    rejections: 0,
    outdatedConnections: 0,
    replacementError: null,
  } as const;

  test('that are good change nothing, and show the time left', () => {
    expect(health(snapshot(['ready'], { tls }))).toMatchObject({
      status: 'up',
      certificates: { state: 'ok', error: null, expires: '2026-01-02T03:04:05.000Z', expiresInSeconds: 90 },
    });
    expect(health(snapshot(['ready']))).not.toHaveProperty('certificates');
  });

  test.each<[object, string]>([
    [{ expiring: true }, 'its certificate expires at 2026-01-02T03:04:05.000Z'],
    [{ expiring: true, expiresInMs: -1 }, 'its certificate expired at 2026-01-02T03:04:05.000Z'],
    [{ state: 'rejected', error: 'tls.key is empty' }, 'certificates cannot be used: tls.key is empty'],
  ])('degrade a client whose endpoints are all ready: %j', (more, text) => {
    const found = health(snapshot(['ready'], { tls: { ...tls, ...more } }));
    expect(found).toMatchObject({ status: 'degraded', message: expect.stringContaining(text) });
    const channel = health(snapshot([], { tls: { ...tls, ...more }, loadBalancing: null }));
    expect(channel).toMatchObject({ status: 'degraded', message: expect.stringContaining(text) });
    expect(health(snapshot(['not_serving'], { tls: { ...tls, ...more } })).status).toBe('down');
  });
});

test('each endpoint is listed with its state, reason, time of change, and calls in flight', () => {
  const { endpoints, message } = health(snapshot(['ready', 'ejected', 'draining']), '50%');
  expect(message).toBe('1 of 2 endpoints are ready, at least 1 required');
  expect(endpoints).toEqual({
    '10.0.0.1:50051': { state: 'ready', reason: null, since: '2026-01-02T03:04:05.000Z', inFlight: 0 },
    '10.0.0.2:50051': { state: 'ejected', reason: 'it is ejected', since: '2026-01-02T03:04:05.001Z', inFlight: 1 },
    '10.0.0.3:50051': { state: 'draining', reason: 'it is draining', since: '2026-01-02T03:04:05.002Z', inFlight: 2 },
  });
});

test('panic is reported and degrades the client', () => {
  expect(health(snapshot(['ready']))).toMatchObject({ panic: false });
  const panicking = health(snapshot(['ready', 'not_serving', 'not_serving'], { panic: true }));
  expect(panicking).toMatchObject({ status: 'degraded', panic: true });
});
