import { accessSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import type { KubeConfig } from '@kubernetes/client-node';
import type { AddressFamily } from './endpoint-slice.js';
import { KubeConfigWithTokenFiles } from './kube-config.js';
import type { KubernetesSourceOptions } from './kubernetes-options.js';

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

export interface ClusterRequest {
  readonly url: URL;
  readonly options: Omit<RequestOptions, 'headers'> & { readonly headers: Readonly<Record<string, string>> };
}

/** How to reach the API server, and as which user: what `@kubernetes/client-node` reads from a kubeconfig or a pod. */
export class Cluster {
  #config: KubeConfig | undefined;

  constructor(
    private readonly options: Pick<KubernetesSourceOptions, 'kubeConfig' | 'kubeConfigFile' | 'context'>,
    /** The root of the pod's file system; another directory in tests. */
    private readonly root = '',
  ) {}

  /** Address, proxy, TLS and credentials for a path of the API. */
  async request(path: string): Promise<ClusterRequest> {
    const config = this.#loaded();
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    return { url: new URL(this.server + path), options: { ...options, headers: trimmed(options.headers) } };
  }

  /** The URL of the API server. */
  get server(): string {
    return this.#loaded().getCurrentCluster()!.server.replace(/\/$/, '');
  }

  /** The namespace of a target without one. */
  get namespace(): string {
    const config = this.#loaded();
    const namespace = config.getContextObject(config.getCurrentContext())?.namespace?.trim() ?? '';
    return namespace === '' ? 'default' : namespace;
  }

  /** The API server's own address has the family that the cluster prefers. */
  get family(): AddressFamily {
    return isIPv6(new URL(this.server).hostname.replace(/^\[|\]$/g, '')) ? 'IPv6' : 'IPv4';
  }

  /**
   * Makes the next request read everything again: credentials, certificates and addresses may have changed, and
   * `@kubernetes/client-node` caches a token for a minute. False if there is nothing to read, because there has been no
   * request yet, or the user passed a loaded configuration.
   */
  forget(): boolean {
    const known = this.#config !== undefined && this.#config !== this.options.kubeConfig;
    this.#config = undefined;
    return known;
  }

  #loaded(): KubeConfig {
    try {
      this.#config ??= load(this.options, this.root);
      return this.#config;
    } catch (error) {
      throw withoutContent(error);
    }
  }
}

function load({ kubeConfig, kubeConfigFile, context }: KubernetesSourceOptions, root: string): KubeConfig {
  const config = kubeConfig ?? new KubeConfigWithTokenFiles();
  if (kubeConfigFile !== undefined) config.loadFromFile(kubeConfigFile);
  else if (kubeConfig === undefined) loadDefault(config, context !== undefined, root);
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    const names = config.getContexts().map(({ name }) => name);
    throw new Error(
      `the kubeconfig has no cluster for the context "${config.getCurrentContext()}"; its contexts: ${names.join(', ') || 'none'}`,
    );
  }
  if (cluster.server.startsWith('http:') && !cluster.skipTLSVerify) {
    throw new Error(
      `${cluster.server} is not encrypted; if you intend that, as with "kubectl proxy", set insecure-skip-tls-verify: true in the kubeconfig`,
    );
  }
  return config;
}

/** js-yaml quotes the lines around a syntax error, and those of a kubeconfig contain tokens and keys. */
function withoutContent(error: unknown): unknown {
  const { name, mark } = Object(error) as { readonly name?: string; readonly mark?: { readonly line?: number } };
  if (name !== 'YAMLException') return error;
  const line = typeof mark?.line === 'number' ? ` (line ${mark.line + 1})` : '';
  return new Error(`the kubeconfig is not YAML${line}; check it with "kubectl config view"`);
}

function loadDefault(config: KubeConfig, needsFile: boolean, root: string): void {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST } = process.env;
  if (!KUBECONFIG && !needsFile && KUBERNETES_SERVICE_HOST && exists(root + TOKEN)) return config.loadFromCluster(root);
  config.loadFromDefault();
  // The default when it finds nothing: a server that cannot be the intended one.
  if (
    config.getCurrentCluster()?.server === 'http://localhost:8080' &&
    config.getCurrentContext() === 'loaded-context'
  ) {
    throw new Error(
      'no configuration found: there is no service account token of a pod, KUBECONFIG is not set, and ~/.kube/config does not exist',
    );
  }
}

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A token file may end in a newline, which Node does not allow in a header. */
function trimmed(headers: RequestOptions['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value).trim()]));
}
