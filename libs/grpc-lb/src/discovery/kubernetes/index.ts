/**
 * Targets of the form `kubernetes:///service:port`: the pods of a Service, watched through the Kubernetes API.
 *
 * @example
 * ```ts
 * registerKubernetes();
 * ```
 *
 * @packageDocumentation
 */

export type { Cancel, Clock } from '../../core/clock.js';
export type { Address, Endpoint, Locality as EndpointLocality, TcpAddress, UnixAddress } from '../../core/endpoint.js';
export type {
  EndpointAnswer,
  EndpointListener,
  EndpointSource,
  EndpointSourceContext,
  EndpointSourceFactory,
  Target,
} from '../../core/endpoint-source.js';
export type { Random as RandomSource } from '../../core/random.js';
export type { AddressFamily } from './endpoint-slice.js';
export { kubernetesSourceFactory, registerKubernetes } from './kubernetes-source-factory.js';
export type { KubernetesPlace, KubernetesSourceOptions } from './kubernetes-options.js';
