import type { ClientSnapshot, EndpointSnapshot } from '../../core/snapshot.js';
import type { FleetBackend } from './fleet-backend.js';

/**
 * Whether a client can send calls to backends, and knows of each that does not serve.
 *
 * @param backends Those that run.
 * @param count How many backends it must be able to call; undefined for all that serve.
 */
export function isServed(
  client: ClientSnapshot,
  backends: readonly FleetBackend[],
  count: number | undefined,
): boolean {
  const endpoints = new Map(client.endpoints.map((each) => [each.address, each]));
  const isReady = ({ address }: FleetBackend): boolean => isCallable(endpoints.get(address));
  if (count !== undefined) return backends.filter(isReady).length >= count;
  const service = client.loadBalancing?.health.service ?? '';
  return backends.every((each) => isReady(each) === isServing(endpoints.get(each.address), each.healthOf(service)));
}

function isCallable(endpoint: EndpointSnapshot | undefined): boolean {
  return endpoint?.state === 'ready' || endpoint?.state === 'degraded';
}

/**
 * Whether an endpoint should get calls. A service that the backend does not know is expected to serve, so that a wrong
 * name is an error.
 */
function isServing(endpoint: EndpointSnapshot | undefined, health = 'SERVING'): boolean {
  const watched = endpoint?.connections.every((each) => each.health !== 'disabled' && each.health !== 'not_offered');
  return !watched || health === 'SERVING';
}

/** What clients say of an address that is not ready, for an error. */
export function seenBy(clients: readonly ClientSnapshot[], address: string): string {
  return clients
    .flatMap(({ client, endpoints }) =>
      endpoints
        .filter((each) => each.address === address && !isCallable(each))
        .map(({ state, reason }) => `; ${client}: ${state}${reason === null ? '' : `, ${reason}`}`),
    )
    .join('');
}
