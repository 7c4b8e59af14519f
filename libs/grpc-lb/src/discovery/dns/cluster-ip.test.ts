import { afterEach, expect, test, vi } from 'vitest';
import { DnsBench } from '../../../../../test/support/discovery/dns-bench.js';
import { FakeDns } from '../../../../../test/support/discovery/fake-dns.js';
import { ClusterIpWatch } from './cluster-ip.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** How many look-ups it takes until there is a warning, of ten that all give the same address; 0 for none. */
function looksUntilWarned(apiServer: string | false, host: string): number {
  const watch = new ClusterIpWatch('orders', apiServer);
  const looks = Array.from({ length: 10 }, () => watch.look([{ host, port: 1 }]));
  expect(looks.filter((warning) => warning !== undefined).length).toBeLessThanOrEqual(1);
  return looks.findIndex((warning) => warning !== undefined) + 1;
}

test.each([
  ['10.43.0.1', '10.43.17.4', 3],
  ['10.43.0.1', '10.42.17.4', 0],
  // The default of kubeadm is 10.96.0.0/12.
  ['10.96.0.1', '10.111.255.254', 3],
  ['10.96.0.1', '10.112.0.1', 0],
  ['10.96.0.1', '10.244.0.5', 0],
  ['172.20.0.1', '172.20.99.1', 3],
  ['fd00:10:96::1', 'fd00:10:96::a:5', 3],
  ['fd00:10:96::1', 'fd00:10:244::5', 0],
  ['10.43.0.1', 'fd00::1', 0],
  ['fd00:10:96::1', '10.43.0.1', 0],
  [false, '10.43.0.1', 0],
  ['', '10.43.0.1', 0],
  ['kubernetes.default', '10.43.0.1', 0],
] as const)(
  'with the API server at %s, the only address %s causes a warning at look-up %d',
  (apiServer, host, look) => {
    expect(looksUntilWarned(apiServer, host)).toBe(look);
  },
);

test('an address that changes, is one of several, or is not an IP address causes no warning', () => {
  const watch = new ClusterIpWatch('orders', '10.43.0.1');
  const [a, b] = ['10.43.0.2', '10.43.0.3'].map((host) => ({ host, port: 1 }));
  for (const addresses of [[a!], [a!], [b!], [b!], [a!, b!], [b!], [b!], [], [b!], [b!], [{ path: 'x' }], [b!], [b!]]) {
    expect(watch.look(addresses)).toBeUndefined();
  }
  expect(watch.detected).toBe(false);
  expect(watch.look([b!])).toBeDefined();
  expect(watch.detected).toBe(true);
  watch.look([b!]);
  expect(watch.detected).toBe(true);
  watch.look([a!]);
  expect(watch.detected).toBe(false);
});

test('the warning is given once, with the name, the address, and the remedy', async () => {
  const dns = new FakeDns().a('orders.shop', 5, '10.43.1.2').set('AAAA orders.shop', 'ENODATA');
  const bench = new DnsBench(dns, 'dns://10.43.0.10/orders.shop:1', { kubernetesServiceHost: '10.43.0.1' });
  await bench.start();
  for (let i = 0; i < 5; i++) await bench.next();
  expect(bench.lists).toHaveLength(6);
  expect(bench.warnings).toEqual([
    '"orders.shop" has one address, 10.43.1.2, which looks like the cluster IP of a Kubernetes Service: all calls over one ' +
      'connection reach one pod. To balance calls, make the Service headless (clusterIP: None), or use a kubernetes:/// target',
  ]);
});

test.each([
  ['10.43.0.1', 1],
  ['10.44.0.1', 0],
  [undefined, 0],
])('the API server defaults to KUBERNETES_SERVICE_HOST, %s', async (host, warnings) => {
  vi.stubEnv('KUBERNETES_SERVICE_HOST', host);
  const dns = new FakeDns().a('orders.shop', 5, '10.43.1.2').set('AAAA orders.shop', 'ENODATA');
  const bench = await new DnsBench(dns, 'dns://10.43.0.10/orders.shop:1', { kubernetesServiceHost: undefined }).start();
  for (let i = 0; i < 5; i++) await bench.next();
  expect(bench.warnings).toHaveLength(warnings);
});
