import type { KubeConfig } from '@kubernetes/client-node';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { type Check, fields, integer, isObject, oneOf, shown } from '../../core/options/validation.js';
import type { AddressFamily } from './endpoint-slice.js';

/** What `kubernetesSourceFactory` and `registerKubernetes` take. */
export interface KubernetesSourceOptions {
  /**
   * A loaded `KubeConfig` of `@kubernetes/client-node`.
   *
   * @default `KUBECONFIG` if it is set, else the service account in a pod, else `~/.kube/config`
   */
  readonly kubeConfig?: KubeConfig;
  /** Path of a kubeconfig file, in place of the default. */
  readonly kubeConfigFile?: string;
  /**
   * Context of the kubeconfig file.
   *
   * @default its current context
   */
  readonly context?: string;
  /**
   * The version of the API group `discovery.k8s.io`, as in `v1`.
   *
   * @default `v1`, which Kubernetes 1.21 brought
   */
  readonly apiVersion?: string;
  /**
   * Address family of a dual-stack Service, `IPv4` or `IPv6`. A Service with one family ignores it.
   *
   * @default the family of the API server's address, which is the first family of the cluster
   */
  readonly addressFamily?: AddressFamily;
  /**
   * Timeout of a request to the API server in milliseconds, 100 to 600000.
   *
   * @default 15000
   */
  readonly timeout?: number;
  /**
   * Milliseconds after which a watch is reopened, ± 20 %, 5000 to 3600000. It bounds how long a silently dead
   * connection goes unnoticed.
   *
   * @default 120000
   */
  readonly watchTimeout?: number;
}

export type EffectiveKubernetesOptions = KubernetesSourceOptions &
  Required<Pick<KubernetesSourceOptions, 'apiVersion' | 'timeout' | 'watchTimeout'>>;

const text =
  (what: string): Check =>
  (path, value, faults) => {
    if (typeof value !== 'string' || value === '') faults.push({ path, message: `is ${shown(value)}; use ${what}` });
  };

const version: Check = (path, value, faults) => {
  if (typeof value === 'string' && /^v\d+((alpha|beta)\d+)?$/.test(value)) return;
  faults.push({ path, message: `is ${shown(value)}; use a version of the API group discovery.k8s.io, as in "v1"` });
};

/** Not `instanceof`: an application may have its own copy. */
const loadedConfig: Check = (path, value, faults) => {
  const { getCurrentCluster, applyToHTTPSOptions } = (isObject(value) ? value : {}) as Partial<KubeConfig>;
  if (typeof getCurrentCluster === 'function' && typeof applyToHTTPSOptions === 'function') return;
  const found = isObject(value) ? 'is an object of another kind' : `is ${shown(value)}`;
  faults.push({ path, message: `${found}; use a loaded KubeConfig of @kubernetes/client-node` });
};

const check = fields(
  {
    kubeConfig: loadedConfig,
    kubeConfigFile: text('the path of a kubeconfig file'),
    context: text('the name of a context of the kubeconfig file'),
    apiVersion: version,
    addressFamily: oneOf(['IPv4', 'IPv6']),
    timeout: integer({ min: 100, max: 600_000, unit: 'milliseconds' }),
    watchTimeout: integer({ min: 5000, max: 3_600_000, unit: 'milliseconds' }),
  },
  { namespace: 'the target, as in kubernetes:///orders.shop:grpc' },
);

/** Checks the options, all faults in one error, and fills in the defaults. */
export function effectiveKubernetesOptions(options: KubernetesSourceOptions): EffectiveKubernetesOptions {
  const faults: Fault[] = [];
  check('options', options, faults);
  if (faults.length === 0 && options.kubeConfig !== undefined) {
    const remedy = 'is set together with kubeConfig, which is already loaded; remove one of them';
    if (options.kubeConfigFile !== undefined) faults.push({ path: 'options.kubeConfigFile', message: remedy });
    if (options.context !== undefined) faults.push({ path: 'options.context', message: remedy });
  }
  if (faults.length > 0) throw new GrpcLbOptionsError('kubernetesSourceFactory', faults);
  const { apiVersion = 'v1', timeout = 15_000, watchTimeout = 120_000 } = options;
  return { ...options, apiVersion, timeout, watchTimeout };
}
