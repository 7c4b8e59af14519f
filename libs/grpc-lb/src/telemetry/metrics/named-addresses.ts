import type { EndpointSnapshot } from '../../core/snapshot.js';

/** The endpoints of one client that have metrics of their own: the first ones, for as long as they are there. */
export class NamedAddresses {
  #named = new Set<string>();

  constructor(private readonly limit: number) {}

  /** Returns those of the endpoints that have metrics of their own. */
  among(endpoints: readonly EndpointSnapshot[]): EndpointSnapshot[] {
    const present = endpoints.filter(({ address }) => this.#named.has(address));
    const named = new Set(present.map(({ address }) => address));
    for (const endpoint of endpoints) {
      if (named.size >= this.limit) break;
      if (named.has(endpoint.address)) continue;
      named.add(endpoint.address);
      present.push(endpoint);
    }
    this.#named = named;
    return present;
  }
}
