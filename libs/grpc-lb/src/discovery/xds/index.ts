/**
 * Targets of the forms `xds:///name` and `eds:///name`: endpoints, or everything, from a control plane.
 *
 * @example
 * ```ts
 * registerXds();
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
export type { XdsBootstrap, XdsNode, XdsServer } from './bootstrap.js';
export { edsSourceFactory } from './eds-source-factory.js';
export { registerXds } from './register-xds.js';
export type { EdsSourceOptions } from './xds-options.js';
