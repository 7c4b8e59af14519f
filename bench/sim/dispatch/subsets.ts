import { randomFor } from '../engine/seeds.js';
import type { Server } from '../servers/server.js';

/** Which of all servers one of `clients` clients connects to. */
export type Subset = (servers: readonly Server[], client: number, clients: number) => readonly Server[];

/** Deterministic aperture (Finagle): windows of a ring, set off evenly, so that all servers have as many clients. */
export function aperture(size: number): Subset {
  return (servers, client, clients) => {
    const start = Math.floor((client * servers.length) / clients);
    return Array.from({ length: Math.min(size, servers.length) }, (_, i) => servers[(start + i) % servers.length]!);
  };
}

/** Each client draws its own (gRFC A68): simple, but some servers have many clients, and some none. */
export function randomSubset(size: number): Subset {
  return (servers, client) => {
    const random = randomFor(client, 'subset');
    const ranked = servers.map((server) => ({ server, rank: random() }));
    ranked.sort((a, b) => a.rank - b.rank);
    return ranked.slice(0, size).map(({ server }) => server);
  };
}
