import { createSubset, type Subset as SubsetOfEndpoints } from '../../../libs/grpc-lb/src/core/subset/subset.js';
import { randomFor } from '../engine/seeds.js';
import { endpointOf, type Server } from '../servers/server.js';

/**
 * The servers that one of `clients` clients connects to, from the subsets of production. Each client keeps its subset
 * for its lifetime.
 */
export type Subset = (client: number, clients: number) => (servers: readonly Server[]) => readonly Server[];

/** Deterministic aperture (Finagle): evenly offset windows of a ring, so that all servers have equally many clients. */
export function aperture(size: number): Subset {
  // It uses no randomness.
  return (index, clients) =>
    ofServers(createSubset({ algorithm: 'deterministic_aperture', size, clients, index }, () => NaN));
}

/** Each client chooses at random (gRFC A68): simple, but some servers have many clients, and some none. */
export function randomSubset(size: number): Subset {
  return (client) => ofServers(createSubset({ algorithm: 'random', size }, randomFor(client, 'subset')));
}

function ofServers(subset: SubsetOfEndpoints): (servers: readonly Server[]) => readonly Server[] {
  return (servers) => {
    const byEndpoint = new Map(servers.map((server) => [endpointOf(server), server]));
    return subset.choose([...byEndpoint.keys()]).map((endpoint) => byEndpoint.get(endpoint)!);
  };
}
