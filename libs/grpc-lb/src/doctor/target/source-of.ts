import type {
  EndpointSource,
  EndpointSourceContext,
  EndpointSourceFactory,
  Target,
} from '../../core/endpoint-source.js';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { hasSecrets } from '../../core/target-secrets.js';
import { createEndpointSource, registeredSchemes } from '../../discovery/index.js';

/** The sources of sub-paths. The doctor does not register them: that would change what the process knows. */
const SUB_PATHS: Readonly<Record<string, () => Promise<EndpointSourceFactory>>> = {
  consul: async () => (await import('../../discovery/consul/index.js')).consulSourceFactory(),
  eds: async () => (await import('../../discovery/xds/index.js')).edsSourceFactory(),
  file: async () => (await import('../../discovery/file/index.js')).fileSourceFactory(),
  kubernetes: async () => (await import('../../discovery/kubernetes/index.js')).kubernetesSourceFactory(),
};

/**
 * The source of a target: as the application registered it, or with its defaults.
 *
 * @throws Error that names what is wrong with the target, or the package that is missing.
 */
export async function sourceOf(target: Target, context: EndpointSourceContext): Promise<EndpointSource> {
  const { scheme, uri } = target;
  const load = Object.hasOwn(SUB_PATHS, scheme) ? SUB_PATHS[scheme] : undefined;
  if (load === undefined || registeredSchemes().includes(scheme)) return createEndpointSource(target, context);
  if (scheme !== 'consul' && hasSecrets(uri)) throw new GrpcLbOptionsError(`target "${scheme}:..."`, [secretInTarget]);
  return (await load())(target, context);
}

const secretInTarget: Fault = {
  path: 'target',
  message: 'has user info, a token or a password, which this source does not use; remove it',
};
