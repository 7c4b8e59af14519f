import type { EndpointSourceFactory } from '../../core/endpoint-source.js';
import { registerEndpointSource } from '../registry.js';
import { effectiveKubernetesOptions, type KubernetesSourceOptions } from './kubernetes-options.js';
import { KubernetesSource } from './kubernetes-source.js';
import { parseServiceName } from './kubernetes-target.js';

/**
 * Creates a factory of sources for `kubernetes:///service.namespace:port`.
 *
 * @throws GrpcLbOptionsError that lists all faults of the options.
 */
export function kubernetesSourceFactory(options: KubernetesSourceOptions = {}): EndpointSourceFactory {
  const effective = effectiveKubernetesOptions(options);
  return (target, context) => new KubernetesSource(parseServiceName(target), effective, context);
}

/**
 * Registers the source of `kubernetes:///service.namespace:port`. Call it before the module is built; the options of
 * the last call apply to clients that are built afterwards.
 *
 * @throws GrpcLbOptionsError that lists all faults of the options.
 */
export function registerKubernetes(options: KubernetesSourceOptions = {}): void {
  registerEndpointSource('kubernetes', kubernetesSourceFactory(options), { replace: true });
}
