import type { KubeConfig } from '@kubernetes/client-node';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { type Check, fields, integer, isObject, oneOf, shown } from '../../core/options/validation.js';
import type { AddressFamily } from './endpoint-slice.js';

export interface KubernetesSourceOptions {
  /**
   * A `KubeConfig` of `@kubernetes/client-node` that you have loaded. Default: what `KUBECONFIG` names if it is set, the
   * service account in a pod, `~/.kube/config` elsewhere.
   */
  readonly kubeConfig?: KubeConfig;
  /** Path of a kubeconfig file, in place of the default. */
  readonly kubeConfigFile?: string;
  /** The context to use of the kubeconfig file. Default: its current one. */
  readonly context?: string;
  /** The version of the API group `discovery.k8s.io`, as in `v1`. Default `v1`, which Kubernetes 1.21 brought. */
  readonly apiVersion?: string;
  /**
   * Which addresses of a dual-stack Service are used, `IPv4` or `IPv6`. Default: IPv6 if the address of the API server is
   * an IPv6 address, as it is in a cluster whose first family that is, else IPv4. A Service with one family needs none.
   */
  readonly addressFamily?: AddressFamily;
  /** Milliseconds that the API server may take to answer, 100 to 600000. Default 15000. */
  readonly timeout?: number;
  /**
   * Milliseconds after which a watch is opened anew, ± 20 %, 5000 to 3600000. Default 120000. It bounds how long a
   * connection that has died in silence is believed.
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

/** Not `instanceof`: an application may have a copy of its own. */
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
