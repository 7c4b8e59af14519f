import { createSubset, type Subset as SubsetOfEndpoints } from '../../../libs/grpc-lb/src/core/subset/subset.js';
import { randomFor } from '../engine/seeds.js';
import { endpointOf, type Server } from '../servers/server.js';

/**
 * Which of all servers one of `clients` clients connects to, by the subsets of production. Each client keeps its own for
 * its life.
 */
export type Subset = (client: number, clients: number) => (servers: readonly Server[]) => readonly Server[];

/** Deterministic aperture (Finagle): windows of a ring, set off evenly, so that all servers have as many clients. */
export function aperture(size: number): Subset {
  // It needs no chance.
  return (index, clients) =>
    ofServers(createSubset({ algorithm: 'deterministic_aperture', size, clients, index }, () => NaN));
}

/** Each client draws its own (gRFC A68): simple, but some servers have many clients, and some none. */
export function randomSubset(size: number): Subset {
  return (client) => ofServers(createSubset({ algorithm: 'random', size }, randomFor(client, 'subset')));
}

function ofServers(subset: SubsetOfEndpoints): (servers: readonly Server[]) => readonly Server[] {
  return (servers) => {
    const byEndpoint = new Map(servers.map((server) => [endpointOf(server), server]));
    return subset.choose([...byEndpoint.keys()]).map((endpoint) => byEndpoint.get(endpoint)!);
  };
}
