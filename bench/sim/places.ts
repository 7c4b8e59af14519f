/** Where clients and servers are. Zones are numbered from 0. */
export interface Places {
  readonly serverZone: (index: number) => number;
  /** @param who The client, from 0 to 1 over all clients, however many there are. */
  readonly clientZone: (who: number) => number;
  /** Milliseconds that a message takes each way, beyond the usual delay. */
  readonly distance: (from: number, to: number) => number;
  /** Whether clients know their zone and those of the servers, and prefer their own. Default: false. */
  readonly known?: boolean;
}

/** All at the same distance, and no zones. */
export const ONE_PLACE: Places = { serverZone: () => 0, clientZone: () => 0, distance: () => 0 };

/** Which of the clients makes a call, by a draw from 0 to 1. */
export function clientAt(who: number, clients: number): number {
  return Math.floor(who * clients);
}

/** Where a client stands among all, from 0 to 1: what `clientZone` takes. */
export function placeOf(client: number, clients: number): number {
  return (client + 0.5) / clients;
}
