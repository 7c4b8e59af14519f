import type { KubeConfig } from '@kubernetes/client-node';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { type Check, fields, integer, isObject, oneOf, shown } from '../../core/options/validation.js';
import type { AddressFamily } from './endpoint-slice.js';
import type { Place } from './hints.js';

/** Where this process runs, for the hints of EndpointSlices. */
export interface KubernetesPlace {
  /**
   * Its zone, as in `eu-central-1a`.
   *
   * @default the environment variable `GRPC_LB_ZONE`
   */
  readonly zone?: string;
  /**
   * The name of its node.
   *
   * @default the environment variable `GRPC_LB_NODE`
   */
  readonly node?: string;
}

/** What `kubernetesSourceFactory` and `registerKubernetes` take. */
export interface KubernetesSourceOptions {
  /**
   * A loaded `KubeConfig` of `@kubernetes/client-node`.
   *
   * @default `KUBECONFIG` if it is set, else the service account in a pod, else `~/.kube/config`
   */
  readonly kubeConfig?: KubeConfig;
  /**
   * Path of a kubeconfig file, in place of the default.
   *
   * @default none: as `kubeConfig`
   */
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
  /**
   * Whether to honor the hints of EndpointSlices, which Kubernetes writes for a Service with `trafficDistribution:
   * PreferSameZone` or `PreferSameNode`: pods that are meant for other zones or nodes get calls only when too few of the
   * others are healthy. `true`, or where this process runs.
   *
   * @default false
   */
  readonly hints?: boolean | KubernetesPlace;
}

export type EffectiveKubernetesOptions = Omit<KubernetesSourceOptions, 'hints'> &
  Required<Pick<KubernetesSourceOptions, 'apiVersion' | 'timeout' | 'watchTimeout'>> & {
    /** Undefined if hints are ignored. */
    readonly place: Place | undefined;
  };

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

const placeFields = fields({ zone: text('the name of a zone'), node: text('the name of a node') });

const hintsCheck: Check = (path, value, faults) => {
  if (typeof value === 'boolean') return;
  if (isObject(value)) placeFields(path, value, faults);
  else faults.push({ path, message: `is ${shown(value)}; use true, false, or { zone, node }` });
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
    hints: hintsCheck,
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
  const place = faults.length === 0 ? placeOf(options.hints ?? false) : undefined;
  if (place && place.zone === undefined && place.node === undefined)
    faults.push({ path: 'options.hints', message: NO_PLACE });
  if (faults.length > 0) throw new GrpcLbOptionsError('kubernetesSourceFactory', faults);
  const { apiVersion = 'v1', timeout = 15_000, watchTimeout = 120_000, hints: _, ...others } = options;
  return { ...others, apiVersion, timeout, watchTimeout, place };
}

const NO_PLACE =
  'needs to know where this process runs; set the environment variables GRPC_LB_ZONE and GRPC_LB_NODE by the Downward ' +
  'API, or hints: { zone, node }';

function placeOf(hints: boolean | KubernetesPlace): Place | undefined {
  if (hints === false) return undefined;
  const { zone = fromEnvironment('GRPC_LB_ZONE'), node = fromEnvironment('GRPC_LB_NODE') } =
    hints === true ? {} : hints;
  return { zone, node };
}

function fromEnvironment(name: string): string | undefined {
  const value = process.env[name]?.trim();
  return value === '' ? undefined : value;
}
