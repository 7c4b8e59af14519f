import type { EndpointSourceFactory } from '../../core/endpoint-source.js';
import { registerEndpointSource } from '../registry.js';
import { effectiveKubernetesOptions, type KubernetesSourceOptions } from './kubernetes-options.js';
import { KubernetesSource } from './kubernetes-source.js';
import { parseServiceName } from './kubernetes-target.js';

/** Makes sources for `kubernetes:///service.namespace:port`. */
export function kubernetesSourceFactory(options: KubernetesSourceOptions = {}): EndpointSourceFactory {
  const effective = effectiveKubernetesOptions(options);
  return (target, context) => new KubernetesSource(parseServiceName(target), effective, context);
}

/**
 * Makes `kubernetes:///service.namespace:port` a target, for all clients that are built afterwards. Calling it again
 * puts other options in force.
 */
export function registerKubernetes(options: KubernetesSourceOptions = {}): void {
  registerEndpointSource('kubernetes', kubernetesSourceFactory(options), { replace: true });
}
