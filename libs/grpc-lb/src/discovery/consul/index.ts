/**
 * Targets of the form `consul:///service`: the endpoints of a service in Consul.
 *
 * @example
 * ```ts
 * registerConsul({ zoneKey: 'zone' });
 * ```
 *
 * @packageDocumentation
 */

import type { EndpointSourceFactory } from '../../core/endpoint-source.js';
import { registerEndpointSource } from '../registry.js';
import { HttpConsulAgent } from './consul-agent.js';
import { type ConsulSourceOptions, effectiveConsulOptions } from './consul-options.js';
import { ConsulSource } from './consul-source.js';
import { readConsulTarget } from './consul-target.js';

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
export type { ConsulConsistency, ConsulSourceOptions } from './consul-options.js';

/**
 * Creates a factory of sources for `consul:///service`.
 *
 * @throws GrpcLbOptionsError that lists all faults of the options.
 */
export function consulSourceFactory(options: ConsulSourceOptions = {}): EndpointSourceFactory {
  const effective = effectiveConsulOptions(options);
  return (target, context) => {
    const service = readConsulTarget(target, effective);
    const { passing, near } = service;
    const { zoneKey, wait, timeout } = effective;
    return new ConsulSource(
      new HttpConsulAgent(service, effective),
      { passing, near, zoneKey, wait, timeout },
      context,
    );
  };
}

/**
 * Registers the source of `consul:///service`. Call it before the module is built; the options of the last call apply.
 *
 * @throws GrpcLbOptionsError that lists all faults of the options.
 */
export function registerConsul(options?: ConsulSourceOptions): void {
  registerEndpointSource('consul', consulSourceFactory(options), { replace: true });
}
