import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../support/peers/certificates.js';
import { KubernetesApi } from '../../support/kubernetes/api.js';
import { HeardSource, kubeConfigFile } from '../../support/kubernetes/client.js';
import { slice } from '../../support/kubernetes/slices.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { KUBECTL } from './kubectl-version.js';

/** kubectl works with the API server of these tests, so it speaks the real protocol. */

expectNoLeaks();

describe.skipIf(KUBECTL === undefined)(
  `kubectl (${KUBECTL ?? 'there is none here; Debian: kubernetes-client'})`,
  () => {
    let api: KubernetesApi;
    let environment: NodeJS.ProcessEnv;
    const children: ChildProcess[] = [];

    beforeAll(async () => {
      api = await new KubernetesApi().start();
      // It keeps what it has learned of an API server in a folder, by host and port.
      environment = { ...process.env, KUBECONFIG: '/dev/null', HOME: '/nonexistent' };
    });

    afterAll(async () => {
      for (const child of children) {
        const exit = once(child, 'exit');
        child.kill();
        await exit;
      }
      await api.stop();
    });

    const kubectl = async (...args: string[]): Promise<string> => {
      const all = [`--server=${api.url}`, ...args];
      return (await promisify(execFile)('kubectl', all, { env: environment })).stdout;
    };

    test('get shows the slices of a namespace, of all, and of a Service', async () => {
      const pods = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'];
      api.store.apply(slice({ name: 'orders-a', pods }));
      api.store.apply(slice({ name: 'payments-a', service: 'payments', pods: ['10.0.1.1'] }));
      api.store.apply(slice({ name: 'orders-a', namespace: 'test', pods: [] }));
      const words = (text: string): string[][] =>
        text
          .trim()
          .split('\n')
          .map((line) => line.split(/ {2,}/));
      const orders = ['orders-a', 'IPv4', '50051', '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...', '1d'];
      expect(words(await kubectl('get', 'endpointslices', '-n', 'shop', '-o', 'wide'))).toEqual([
        ['NAME', 'ADDRESSTYPE', 'PORTS', 'ENDPOINTS', 'AGE'],
        orders,
        ['payments-a', 'IPv4', '50051', '10.0.1.1', '1d'],
      ]);
      const label = 'kubernetes.io/service-name=orders';
      expect(words(await kubectl('get', 'endpointslices', '-A', '-l', label))).toEqual([
        ['NAMESPACE', 'NAME', 'ADDRESSTYPE', 'PORTS', 'ENDPOINTS', 'AGE'],
        ['shop', ...orders],
        ['test', 'orders-a', 'IPv4', '50051', '<unset>', '1d'],
      ]);
    });

    test('get -o json gives the objects back as they were written, in pages of any size', async () => {
      const text = await kubectl('get', 'endpointslices', '-n', 'shop', '--chunk-size=1', '-o', 'json');
      const { items } = JSON.parse(text) as { items: { metadata: { name: string }; endpoints: unknown }[] };
      expect(items.map(({ metadata }) => metadata.name)).toEqual(['orders-a', 'payments-a']);
      expect(items[0]!.endpoints).toEqual(
        slice({ name: 'x', pods: ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'] }).endpoints,
      );
      expect(api.requests.filter(({ url }) => url.searchParams.has('continue'))).not.toEqual([]);
    });

    test('get -w sees changes as they happen', async () => {
      const args = ['get', 'endpointslices', '-n', 'shop', '-w', '--output-watch-events'];
      const child = spawn('kubectl', [`--server=${api.url}`, ...args], { env: environment });
      children.push(child);
      let seen = '';
      let look = (): void => {};
      child.stdout.on('data', (text) => {
        seen += String(text);
        look();
      });
      const until = async (line: RegExp): Promise<void> => {
        while (!line.test(seen)) await new Promise<void>((resolve) => (look = resolve));
      };
      await until(/ADDED +payments-a/);
      await api.untilWatched();
      api.store.apply(slice({ name: 'orders-a', pods: ['10.0.0.7'] }));
      await until(/MODIFIED +orders-a +IPv4 +50051 +10.0.0.7/);
      api.store.delete('payments-a');
      await until(/DELETED +payments-a/);
    });

    test('a client of this package sees what it deletes', async () => {
      const source = new HeardSource({ kubeConfigFile: kubeConfigFile({ server: api.url }) });
      await source.untilLast('10.0.0.7');
      await kubectl('delete', 'endpointslice', 'orders-a', '-n', 'shop');
      await source.untilLast();
      source.stop();
    });

    test('api-resources and api-versions know the group', async () => {
      expect(await kubectl('api-resources')).toMatch(/endpointslices +discovery.k8s.io\/v1 +true +EndpointSlice/);
      expect(await kubectl('api-versions')).toBe('discovery.k8s.io/v1\n');
    });

    // Over plain HTTP it sends no token.
    test('over TLS it is rejected without the right token', async () => {
      const { key, cert } = makeCertificate(['127.0.0.1']);
      const secure = await new KubernetesApi({ tls: { key: String(key), cert: String(cert) } }).start();
      try {
        secure.tokens = new Set(['right']);
        secure.store.apply(slice({ name: 'orders-a', pods: [] }));
        const get = (token: string): Promise<string> =>
          kubectl(
            `--server=${secure.url}`,
            '--insecure-skip-tls-verify',
            `--token=${token}`,
            'get',
            'endpointslices',
            '-A',
          );
        await expect(get('wrong')).rejects.toThrow(/Unauthorized|logged in/);
        expect(await get('right')).toContain('orders-a');
      } finally {
        await secure.stop();
      }
    });
  },
);
