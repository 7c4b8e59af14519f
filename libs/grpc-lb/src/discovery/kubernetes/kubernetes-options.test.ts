import { KubeConfig } from '@kubernetes/client-node';
import { expect, it, test } from 'vitest';
import { registeredSchemes } from '../registry.js';
import { effectiveKubernetesOptions } from './kubernetes-options.js';
import { kubernetesSourceFactory, registerKubernetes } from './kubernetes-source-factory.js';

it('fills in the defaults', () => {
  expect(effectiveKubernetesOptions({})).toEqual({ apiVersion: 'v1', timeout: 15_000, watchTimeout: 120_000 });
});

it.each([
  [{ apiVersion: '1' }, /options.apiVersion is "1"; use a version of the API group discovery.k8s.io, as in "v1"/],
  [{ apiVersion: 'v1/../..' }, /apiVersion/],
  [{ timeout: 99 }, /options.timeout is 99; use a whole number from 100 to 600000 \(milliseconds\)/],
  [{ watchTimeout: 4999 }, /options.watchTimeout is 4999; use a whole number from 5000 to 3600000/],
  [{ addressFamily: 'ipv4' }, /options.addressFamily is "ipv4"; use one of IPv4, IPv6; did you mean "IPv4"/],
  [{ kubeConfig: {} }, /options.kubeConfig is an object of another kind; use a loaded KubeConfig/],
  [
    { kubeConfig: '/home/me/.kube/config' },
    /options.kubeConfig is "\/home\/me\/.kube\/config"; use a loaded KubeConfig/,
  ],
  [{ kubeConfigFile: '' }, /options.kubeConfigFile is ""; use the path of a kubeconfig file/],
  [{ context: 7 }, /options.context is 7/],
  [{ kubeConfg: 1 }, /options.kubeConfg is not an option; did you mean "kubeConfig"/],
  [{ namespace: 'shop' }, /options.namespace is not an option here; move it to the target/],
  [
    { kubeConfig: new KubeConfig(), context: 'x' },
    /options.context is set together with kubeConfig, which is already loaded/,
  ],
  [null, /options is null/],
])('rejects %o', (options, message) => {
  expect(() => kubernetesSourceFactory(options as never)).toThrow(message);
});

test('registering adds the scheme, and may be repeated with other options', () => {
  registerKubernetes();
  registerKubernetes({ timeout: 1000 });
  expect(registeredSchemes()).toContain('kubernetes');
});
