import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { KubernetesApi, type Fate } from '../../support/kubernetes/api.js';
import { fastClock, HeardSource, kubeConfigFile } from '../../support/kubernetes/client.js';
import { slice } from '../../support/kubernetes/slices.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { Stopwatch } from '../../support/time/stopwatch.js';

/** The source over HTTP, with the real client library, against an API server that speaks the real protocol. */

expectNoLeaks();

let api: KubernetesApi;
let config: string;

beforeEach(async () => {
  api = await new KubernetesApi().start();
  config = kubeConfigFile({ server: api.url });
});

afterEach(() => api.stop());

const put = (...pods: string[]): unknown => api.store.apply(slice({ name: 'orders-a', pods }));

async function started(...pods: string[]): Promise<HeardSource> {
  put(...pods);
  const source = new HeardSource({ kubeConfigFile: config });
  await source.untilLast(...pods);
  await api.untilWatched();
  return source;
}

/** So long that a watch counts as one that works. */
const steady = (): Promise<void> => new Promise((resolve) => void fastClock.after(1500, resolve));

describe('list and watch', () => {
  test('ADDED, MODIFIED and DELETED arrive only for this Service and namespace', async () => {
    const source = await started('10.0.0.1');
    api.store.apply(slice({ name: 'orders-b', pods: ['10.0.0.2'] }));
    await source.untilLast('10.0.0.1', '10.0.0.2');
    api.store.apply(slice({ name: 'payments-a', service: 'payments', pods: ['10.0.9.1'] }));
    api.store.apply(slice({ name: 'orders-a', namespace: 'other', pods: ['10.0.9.2'] }));
    put('10.0.0.3');
    await source.untilLast('10.0.0.2', '10.0.0.3');
    api.store.delete('orders-b');
    await source.untilLast('10.0.0.3');
    // A slice that is handed to another Service has gone from this one.
    api.store.apply(slice({ name: 'orders-a', service: 'payments', pods: ['10.0.0.3'] }));
    await source.untilLast();
    expect(source.errors).toEqual([]);
    expect(api.count('list')).toBe(1);
    expect(api.count('watch')).toBe(1);
  });

  test('a list arrives in pages of a hundred, all of one version', async () => {
    const all = Array.from({ length: 250 }, (_, i) => `10.0.${Math.floor(i / 100)}.${(i % 100) + 100}`);
    all.forEach((ip, i) => api.store.apply(slice({ name: `orders-${i}`, pods: [ip] })));
    const source = new HeardSource({ kubeConfigFile: config });
    await source.untilLast(...all);
    const lists = api.requests.filter(({ kind }) => kind === 'list').map(({ url }) => url.searchParams);
    expect(lists.map((parameters) => [parameters.get('limit'), parameters.has('continue')])).toEqual([
      ['100', false],
      ['100', true],
      ['100', true],
    ]);
    expect(source.lists).toHaveLength(1);
  });

  test('the next watch resumes at the last bookmark, so that a compacted history does not matter', async () => {
    const source = await started('10.0.0.1');
    await steady();
    for (let i = 0; i < 5; i++) api.store.tick();
    api.bookmark();
    api.store.compact();
    api.endWatches();
    while (api.count('watch') < 2) await steady();
    put('10.0.0.2');
    await source.untilLast('10.0.0.2');
    expect(api.count('list')).toBe(1);
    expect(source.errors).toEqual([]);
    expect(api.requests.at(-1)?.url.searchParams.get('allowWatchBookmarks')).toBe('1');
  });

  test('events split into chunks, even within a character, arrive whole', async () => {
    const source = await started('10.0.0.1');
    const object = slice({ name: 'orders-ü€😀', pods: ['10.0.0.2'] });
    const event = { type: 'ADDED', object: { ...object, metadata: { ...object.metadata, resourceVersion: '2000' } } };
    for (const byte of Buffer.from(`${JSON.stringify(event)}\n`)) api.write(Buffer.from([byte]));
    await source.untilLast('10.0.0.1', '10.0.0.2');
    expect(source.errors).toEqual([]);
  });

  test('watches end after the requested time, and are reopened', async () => {
    put('10.0.0.1');
    // ± 20 % of 5 s, and the API server counts in real time.
    const source = new HeardSource({ kubeConfigFile: config, watchTimeout: 5000 });
    await api.untilWatched();
    const seconds = Number(api.requests.at(-1)?.url.searchParams.get('timeoutSeconds'));
    expect(seconds).toBeGreaterThanOrEqual(4);
    expect(seconds).toBeLessThanOrEqual(6);
    expect(source.last).toEqual(['10.0.0.1']);
  });

  test('stop leaves nothing open', async () => {
    const source = await started('10.0.0.1');
    source.stop();
    while (api.connections > 0) await steady();
    expect(api.watches).toBe(0);
  });

  it.each(['v1', 'v1beta1', 'v2'])('the version of the API is a parameter: %s', async (apiVersion) => {
    const other = await new KubernetesApi({ apiVersion }).start();
    try {
      other.store.apply(slice({ name: 'orders-a', pods: ['10.0.0.1'] }));
      const source = new HeardSource({ kubeConfigFile: kubeConfigFile({ server: other.url }), apiVersion });
      await source.untilLast('10.0.0.1');
      source.stop();
    } finally {
      await other.stop();
    }
  });
});

describe('failures', () => {
  it.each(['event', 'status'] as const)('410 Gone as %s triggers a list at once, without an event', async (expired) => {
    const other = await new KubernetesApi({ expired }).start();
    try {
      other.store.apply(slice({ name: 'orders-a', pods: ['10.0.0.1'] }));
      const source = new HeardSource({ kubeConfigFile: kubeConfigFile({ server: other.url }) });
      await source.untilLast('10.0.0.1');
      await other.untilWatched();
      await steady();
      const url = other.url;
      await other.stop();
      other.store.apply(slice({ name: 'orders-a', pods: ['10.0.0.2'] }));
      other.store.compact();
      await other.start();
      expect(other.url).toBe(url);
      await source.untilLast('10.0.0.2');
      expect(other.count('list')).toBe(2);
      expect(source.lists.every((list) => list.length === 1)).toBe(true);
      expect(source.errors.join()).not.toContain('410');
      source.stop();
    } finally {
      await other.stop();
    }
  });

  test('a restart of the API server changes nothing, and changes made meanwhile arrive', async () => {
    const source = await started('10.0.0.1', '10.0.0.2');
    await steady();
    await api.stop();
    await source.until(() => source.errors.length > 1);
    expect(source.errors[0]).toMatch(/^the API server at http:\/\/127.0.0.1:\d+ cannot be queried: .*ECONN/);
    put('10.0.0.1', '10.0.0.3');
    await api.start();
    await source.untilLast('10.0.0.1', '10.0.0.3');
    expect(new Set(source.lists.map(String))).toEqual(new Set(['10.0.0.1,10.0.0.2', '10.0.0.1,10.0.0.3']));
    // Only the connection was lost, so no new list is needed.
    expect(api.count('list')).toBe(1);
  });

  test('connections that are cut repeatedly cause no other loss', async () => {
    const source = await started('10.0.0.1');
    for (let i = 2; i < 12; i++) {
      await steady();
      api.cutConnections();
      put(`10.0.0.${i}`);
      await source.untilLast(`10.0.0.${i}`);
      await api.untilWatched();
    }
    expect(api.count('list')).toBe(1);
  });

  const malformed = slice({ name: 'orders-a', pods: [] });
  it.each<[string, Fate, RegExp]>([
    ['403', { status: 403 }, /refuses access to the EndpointSlices of "orders" in namespace "shop": 403 as the test/],
    ['500 with a page of HTML', { status: 500, body: '<html>' }, /: 500$/],
    ['a redirect', { status: 302, headers: { location: '/' } }, /: 302/],
    ['429', { status: 429, headers: { 'retry-after': '2' } }, /: 429/],
    ['an answer that is not JSON', { body: '{"items":' }, /sent no JSON: "\{\\"items\\":"$/],
    ['an answer without items', { body: '{"kind":"Status"}' }, /sent a list without items/],
    ['an answer that is a number', { body: '7' }, /sent a list without items: 7/],
    ['a list without a version', { body: '{"items":[]}' }, /sent an answer without a resourceVersion/],
    ['a list of pages without end', { body: '{"items":[],"metadata":{"continue":"x"}}' }, /sent a list/],
    ['a cut', { cut: true }, /cannot be queried: .*(ECONNRESET|socket hang up)/],
  ])('%s at the start is reported and retried', async (_, fate, message) => {
    put('10.0.0.1');
    // A list may take two requests.
    api.fates.push(fate, fate);
    const source = new HeardSource({ kubeConfigFile: config });
    await source.untilLast('10.0.0.1');
    expect(source.errors[0]).toMatch(message);
  });

  test('a silent API server is abandoned after the timeout', async () => {
    put('10.0.0.1');
    api.fates.push({ hang: true });
    const source = new HeardSource({ kubeConfigFile: config, timeout: 10_000 });
    await source.untilLast('10.0.0.1');
    expect(source.errors[0]).toMatch(/cannot be queried: no answer within 10000 ms$/);
  });

  test('invalid slices in a list are left out with a warning', async () => {
    put('10.0.0.1');
    const items = [7, null, { ...malformed, addressType: 'IPv5' }, { ...malformed, endpoints: 'many' }];
    const good = { ...slice({ name: 'orders-b', pods: ['10.0.0.2', 'nonsense'] }) };
    api.fates.push({ body: JSON.stringify({ metadata: { resourceVersion: '1001' }, items: [...items, good] }) });
    const source = new HeardSource({ kubeConfigFile: config });
    await source.untilLast('10.0.0.2');
    expect(source.warnings).toHaveLength(5);
    expect(source.errors).toEqual([]);
  });

  it.each([
    ['a line that is not JSON', 'no JSON at all\n', /sent no JSON/],
    ['an event of an unknown type', '{"type":"RENAMED"}\n', /sent an event of an unknown type/],
    ['an error', '{"type":"ERROR","object":{"code":500,"message":"etcd is ill"}}\n', /: 500 etcd is ill/],
    ['nine million characters without end', 'x'.repeat(9_000_000), /sent an event of more than 2097152 characters/],
  ])('%s in a watch keeps the list, and triggers a new one', async (_, text, message) => {
    const source = await started('10.0.0.1');
    api.write(text);
    await source.until(() => source.errors.length > 0);
    expect(source.errors[0]).toMatch(message);
    put('10.0.0.2');
    await source.untilLast('10.0.0.2');
    expect(api.count('list')).toBe(2);
    expect(source.lists.filter((list) => list.length === 0)).toEqual([]);
  });

  test('a watch that falls silent is reopened when it should have ended at the latest', async () => {
    const source = await started('10.0.0.1');
    source.stop();
    const patient = new HeardSource({ kubeConfigFile: config, timeout: 10_000, watchTimeout: 5000 });
    await patient.untilLast('10.0.0.1');
    await api.untilWatched();
    const before = api.count('watch');
    // Twenty times faster than the API server counts: 16 s are 800 ms.
    while (api.count('watch') === before) await steady();
    put('10.0.0.2');
    await patient.untilLast('10.0.0.2');
    expect(api.count('list')).toBe(2);
  });
});

test('a hundred changes reach the listener within 100 ms of their event, each', async () => {
  const source = await started('10.0.0.0');
  const stopwatch = new Stopwatch();
  const delays: number[] = [];
  for (let i = 1; i <= 100; i++) {
    const arrived = async (): Promise<void> => {
      put(`10.0.0.${i}`);
      await source.untilLast(`10.0.0.${i}`);
    };
    delays.push(await stopwatch.time(arrived));
  }
  // Mostly it is one.
  expect(delays.toSorted((a, b) => a - b)[50]).toBeLessThan(10);
  expect(Math.max(...delays)).toBeLessThan(100);
});
