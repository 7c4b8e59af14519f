import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { makeCertificate } from '../../support/peers/certificates.js';
import { Cluster } from '../../../libs/grpc-lb/src/discovery/kubernetes/cluster.js';
import { KubernetesApi } from '../../support/kubernetes/api.js';
import { fastClock, HeardSource, kubeConfigFile, temporaryFolder } from '../../support/kubernetes/client.js';
import { kubeConfigText } from '../../support/kubernetes/config.js';
import { slice } from '../../support/kubernetes/slices.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { SilentServer } from '../../support/peers/silent-server.js';

/** Address of the API server, credentials, and permissions. */

expectNoLeaks();

let api: KubernetesApi;

beforeEach(async () => {
  api = await new KubernetesApi().start();
  api.store.apply(slice({ name: 'orders-a', pods: ['10.0.0.1'] }));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await api.stop();
});

const steady = (): Promise<void> => new Promise((resolve) => void fastClock.after(1500, resolve));

/** A user whose token is read from a file, as in a pod. */
const byFile = (tokenFile: string): object => ({ 'auth-provider': { name: 'tokenFile', config: { tokenFile } } });

/** The same in the words of kubectl. */
const byTokenFile = (tokenFile: string): object => ({ tokenFile });

describe('credentials', () => {
  test('the tokenFile of kubectl is read relative to its kubeconfig, takes precedence over a token, and works in each file of KUBECONFIG', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'token'), 'of the file\n');
    const user = { tokenFile: 'token', token: 'of the text' };
    const cluster = { 'insecure-skip-tls-verify': true };
    writeFileSync(join(folder, 'config'), kubeConfigText({ server: api.url, cluster, user }));
    const authorization = async (options: object): Promise<unknown> =>
      (await new Cluster(options).request('/')).options.headers['Authorization'];
    expect(await authorization({ kubeConfigFile: join(folder, 'config') })).toBe('Bearer of the file');
    const other = join(temporaryFolder(), 'other');
    writeFileSync(other, 'clusters: []\nusers: []\ncontexts: []\n');
    for (const files of [
      [join(folder, 'config'), other],
      [other, join(folder, 'config')],
    ]) {
      vi.stubEnv('KUBECONFIG', files.join(delimiter));
      expect(await authorization({ context: 'here' })).toBe('Bearer of the file');
    }
  });

  test('a missing tokenFile is an error with its path, and is read when it appears', async () => {
    const token = join(temporaryFolder(), 'token');
    api.tokens = new Set(['late']);
    const source = new HeardSource({ kubeConfigFile: kubeConfigFile({ server: api.url, user: byTokenFile(token) }) });
    await source.until(() => source.errors.length > 0);
    expect(source.errors[0]).toContain(`ENOENT: no such file or directory, open '${token}'`);
    writeFileSync(token, 'late');
    await source.untilLast('10.0.0.1');
  });

  test.each([
    ['a token file', byFile],
    ['the tokenFile of kubectl', byTokenFile],
  ])('a rotated token in %s is reread at once, without an event', async (_, userOf) => {
    const token = join(temporaryFolder(), 'token');
    writeFileSync(token, 'first\n');
    api.tokens = new Set(['first']);
    const source = new HeardSource({ kubeConfigFile: kubeConfigFile({ server: api.url, user: userOf(token) }) });
    await source.untilLast('10.0.0.1');
    await api.untilWatched();
    await steady();

    // client-node alone would cache the old one for a minute.
    writeFileSync(token, 'second');
    api.tokens = new Set(['second']);
    api.cutConnections();
    api.store.apply(slice({ name: 'orders-a', pods: ['10.0.0.2'] }));
    await source.untilLast('10.0.0.2');
    expect(source.errors).toEqual([]);
    expect(api.requests.slice(-2).map(({ authorization }) => authorization)).toEqual(['Bearer first', 'Bearer second']);
  });

  test('a rejected token is an error with a remedy, after the file has been reread', async () => {
    const token = join(temporaryFolder(), 'token');
    writeFileSync(token, 'old');
    api.tokens = new Set(['new']);
    const source = new HeardSource({ kubeConfigFile: kubeConfigFile({ server: api.url, user: byFile(token) }) });
    await source.until(() => source.errors.length > 0);
    expect(source.errors[0]).toBe(
      'the API server refuses access to the EndpointSlices of "orders" in namespace "shop": 401 Unauthorized: Unauthorized; ' +
        'in a pod, check that its service account token is mounted (automountServiceAccountToken); elsewhere, check that ' +
        '"kubectl get endpointslices -n shop -l kubernetes.io/service-name=orders" works',
    );
    // At most two requests an attempt.
    expect(api.requests.length).toBeLessThanOrEqual(2);
    expect(source.errors.join()).not.toContain('Bearer');
    writeFileSync(token, 'new');
    await source.untilLast('10.0.0.1');
  });

  test('missing permissions are an error that lists them, and calls work once they are granted', async () => {
    api.forbidden.add('shop');
    const source = new HeardSource({ kubeConfigFile: kubeConfigFile({ server: api.url }) });
    await source.until(() => source.errors.length > 0);
    expect(source.errors[0]).toMatch(
      /403 Forbidden: .*cannot list resource "endpointslices".*in the namespace "shop"; bind a Role with the verbs list and watch on endpointslices \(discovery.k8s.io\) in that namespace/,
    );
    api.forbidden.clear();
    await source.untilLast('10.0.0.1');
  });

  test('a version that the cluster does not serve is an error that names the option', async () => {
    const source = new HeardSource({ kubeConfigFile: kubeConfigFile({ server: api.url }), apiVersion: 'v1beta1' });
    await source.until(() => source.errors.length > 0);
    expect(source.errors[0]).toMatch(
      /404 .*check that the cluster serves discovery.k8s.io\/v1beta1 .*option apiVersion/,
    );
  });
});

test('a kubeconfig that is not YAML is an error without its content', async () => {
  const file = join(temporaryFolder(), 'config');
  const broken = ['users:', '- name: me', '  user:', '    token: SECRET', '   client-key-data: SECRET', ''];
  writeFileSync(file, broken.join('\n'));
  expect(() => new Cluster({ kubeConfigFile: file }).server).toThrow(
    expect.toSatisfy((error) => !inspect(error, { depth: 9 }).includes('SECRET')),
  );
  const source = new HeardSource({ kubeConfigFile: file });
  await source.until(() => source.errors.length > 0);
  expect(source.errors[0]).toBe(
    'the Kubernetes client cannot be set up: the kubeconfig is not YAML (line 5); check it with "kubectl config view"',
  );
  // As when a login tool has finished writing it.
  writeFileSync(file, kubeConfigText({ server: api.url, cluster: { 'insecure-skip-tls-verify': true } }));
  await source.untilLast('10.0.0.1');
});

test('a proxy that never answers keeps no connection after the attempt', async () => {
  const proxy = await new SilentServer().start();
  onTestFinished(() => proxy.stop());
  const cluster = { 'insecure-skip-tls-verify': true, 'proxy-url': `http://127.0.0.1:${proxy.port}` };
  const source = new HeardSource({ kubeConfigFile: kubeConfigFile({ server: api.url, cluster }), timeout: 4000 });
  await source.until(() => source.errors.length > 1);
  expect(proxy.accepted).toBeGreaterThan(0);
  source.stop();
  await expect.poll(() => proxy.open).toBe(0);
});

describe('TLS', () => {
  test('the certificate is verified with the CA of the configuration, which may be rotated', async () => {
    const certificate = makeCertificate(['127.0.0.1']);
    const tls = { key: String(certificate.key), cert: String(certificate.cert) };
    const secure = await new KubernetesApi({ tls }).start();
    onTestFinished(() => secure.stop());
    secure.store.apply(slice({ name: 'orders-a', pods: ['10.0.0.7'] }));
    const folder = temporaryFolder();
    const [file, ca] = [join(folder, 'config'), join(folder, 'ca.crt')];
    writeFileSync(ca, makeCertificate(['somebody-else']).cert);
    writeFileSync(file, kubeConfigText({ server: secure.url, cluster: { 'certificate-authority': ca } }));
    const source = new HeardSource({ kubeConfigFile: file });
    await source.until(() => source.errors.length > 0);
    expect(source.errors[0]).toMatch(/the API server at https:.* cannot be queried: .*(self-signed|certificate)/);
    expect(secure.requests).toEqual([]);
    writeFileSync(ca, certificate.cert);
    await source.untilLast('10.0.0.7');
    source.stop();
  });

  test('in a pod: its service account, its namespace, and the address that Kubernetes puts into its environment', async () => {
    const certificate = makeCertificate(['127.0.0.1']);
    const root = temporaryFolder();
    const account = join(root, 'var/run/secrets/kubernetes.io/serviceaccount');
    mkdirSync(account, { recursive: true });
    writeFileSync(join(account, 'token'), 'of the pod');
    writeFileSync(join(account, 'ca.crt'), certificate.cert);
    writeFileSync(join(account, 'namespace'), 'shop\n');
    vi.stubEnv('KUBECONFIG', undefined);
    vi.stubEnv('KUBERNETES_SERVICE_HOST', 'fd00::1');
    vi.stubEnv('KUBERNETES_SERVICE_PORT', '443');
    const cluster = new Cluster({}, root);
    expect(cluster.namespace).toBe('shop');
    expect(cluster.server).toBe('https://[fd00::1]:443');
    expect(cluster.family).toBe('IPv6');
    const { url, options } = await cluster.request('/apis');
    expect(url.href).toBe('https://[fd00::1]/apis');
    expect(options.headers).toEqual({ Authorization: 'Bearer of the pod' });
    expect(String(options.ca)).toBe(String(certificate.cert));

    vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.96.0.1');
    expect(cluster.family).toBe('IPv6');
    expect(cluster.forget()).toBe(true);
    expect(cluster.forget()).toBe(false);
    expect(cluster.family).toBe('IPv4');
  });
});

describe('configuration', () => {
  test('is read from KUBECONFIG, and a target without a namespace uses that of the context', async () => {
    vi.stubEnv('KUBECONFIG', kubeConfigFile({ server: api.url, namespace: 'shop' }));
    const source = new HeardSource({}, 'kubernetes:///orders:50051');
    await source.untilLast('10.0.0.1');
  });

  test('may be a KubeConfig object, which is used as is', async () => {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser(
      { name: 'x', server: api.url, skipTLSVerify: true },
      { name: 'y', token: 'mine' },
    );
    api.tokens = new Set(['mine']);
    const source = new HeardSource({ kubeConfig });
    await source.untilLast('10.0.0.1');
  });

  const faultOf = async (config: string | undefined, context?: string): Promise<string> => {
    const options = {
      ...(config !== undefined && { kubeConfigFile: config }),
      ...(context !== undefined && { context }),
    };
    const source = new HeardSource(options);
    await source.until(() => source.errors.length > 0);
    source.stop();
    return source.errors[0]!;
  };

  test('that cannot be read is reported and read again', async () => {
    const file = join(temporaryFolder(), 'later/config');
    const source = new HeardSource({ kubeConfigFile: file });
    await source.until(() => source.errors.length > 0);
    expect(source.errors[0]).toMatch(
      /^the Kubernetes client cannot be set up: ENOENT: no such file or directory, open '.*config'$/,
    );
    mkdirSync(dirname(file));
    writeFileSync(file, kubeConfigText({ server: api.url, cluster: { 'insecure-skip-tls-verify': true } }));
    await source.untilLast('10.0.0.1');
  });

  test('with an unknown context is an error', async () => {
    expect(await faultOf(kubeConfigFile({ server: api.url }), 'production')).toBe(
      'the Kubernetes client cannot be set up: the kubeconfig has no cluster for the context "production"; its contexts: here',
    );
  });

  test('with an API server without TLS is an error', async () => {
    const file = kubeConfigFile({ server: 'http://10.0.0.1:8001', cluster: {} });
    expect(await faultOf(file)).toMatch(/10.0.0.1:8001 is not encrypted; .*set insecure-skip-tls-verify: true/);
  });

  test('is required', async () => {
    const home = temporaryFolder();
    for (const [name, value] of Object.entries({
      HOME: home,
      KUBECONFIG: undefined,
      KUBERNETES_SERVICE_HOST: undefined,
    }))
      vi.stubEnv(name, value);
    expect(await faultOf(undefined)).toMatch(
      /^the Kubernetes client cannot be set up: no configuration found: there is no service account token/,
    );
  });
});
