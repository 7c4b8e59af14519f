import { DiscoveryV1Api, KubeConfig, makeInformer, type V1EndpointSlice } from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { KubernetesApi } from '../../support/kubernetes/api.js';
import { slice } from '../../support/kubernetes/slices.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

/** The API server of these tests works with the generated client and the informer of client-node. */

expectNoLeaks();

const PATH = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices';
const LABEL = 'kubernetes.io/service-name=orders';

let api: KubernetesApi;
let config: KubeConfig;

beforeEach(async () => {
  api = await new KubernetesApi().start();
  config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'x', server: api.url, skipTLSVerify: true }, { name: 'me', token: 'mine' });
});

afterEach(() => api.stop());

test('the generated client reads what was written, page by page', async () => {
  for (let i = 0; i < 5; i++) api.store.apply(slice({ name: `orders-${i}`, pods: [`10.0.0.${i}`] }));
  api.store.apply(slice({ name: 'payments-0', service: 'payments', pods: [] }));
  const client = config.makeApiClient(DiscoveryV1Api);
  const found: V1EndpointSlice[] = [];
  let next: string | undefined;
  do {
    const page = await client.listNamespacedEndpointSlice({
      namespace: 'shop',
      labelSelector: LABEL,
      limit: 2,
      _continue: next,
    });
    found.push(...page.items);
    // The generator found a keyword in the way.
    next = page.metadata?.['_continue'];
  } while (next);
  expect(found.map(({ metadata }) => metadata?.name)).toEqual([
    'orders-0',
    'orders-1',
    'orders-2',
    'orders-3',
    'orders-4',
  ]);
  expect(found[3]?.endpoints[0]).toMatchObject({ addresses: ['10.0.0.3'], conditions: { ready: true } });
  expect(api.count('list')).toBe(3);
});

test('errors are recognized by the client', async () => {
  const client = config.makeApiClient(DiscoveryV1Api);
  const ask = { namespace: 'shop' };
  api.forbidden.add('shop');
  await expect(client.listNamespacedEndpointSlice(ask)).rejects.toMatchObject({ code: 403 });
  api.tokens = new Set(['other']);
  await expect(client.listNamespacedEndpointSlice(ask)).rejects.toMatchObject({ code: 401 });
  api.forbidden.clear();
  api.tokens = undefined;
  const missing = { namespace: 'shop', name: 'nobody' };
  await expect(client.readNamespacedEndpointSlice(missing)).rejects.toMatchObject({ code: 404 });
});

test('the informer follows adds, changes, deletions and expiry', async () => {
  api.store.apply(slice({ name: 'orders-0', pods: ['10.0.0.1'] }));
  const client = config.makeApiClient(DiscoveryV1Api);
  const list = () => client.listNamespacedEndpointSlice({ namespace: 'shop', labelSelector: LABEL });
  const informer = makeInformer<V1EndpointSlice>(config, PATH, list, LABEL);
  onTestFinished(() => informer.stop());
  const heard: string[] = [];
  let look = (): void => {};
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, ({ metadata, endpoints }) => {
      heard.push(`${verb} ${metadata?.name} ${endpoints.map(({ addresses }) => addresses[0]).join()}`);
      look();
    });
  }
  const until = async (line: string): Promise<void> => {
    while (!heard.includes(line)) await new Promise<void>((resolve) => (look = resolve));
  };
  await informer.start();
  await api.untilWatched();
  api.store.apply(slice({ name: 'orders-0', pods: ['10.0.0.2'] }));
  await until('update orders-0 10.0.0.2');
  api.store.apply(slice({ name: 'orders-1', pods: ['10.0.0.3'] }));
  await until('add orders-1 10.0.0.3');
  api.store.delete('orders-0');
  await until('delete orders-0 10.0.0.2');
  api.store.compact();
  api.expireWatches();
  await api.untilWatched();
  api.store.apply(slice({ name: 'orders-1', pods: ['10.0.0.4'] }));
  await until('update orders-1 10.0.0.4');
});
