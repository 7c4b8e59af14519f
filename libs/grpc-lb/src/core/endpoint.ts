/** A TCP address: a host that is an IP literal or a name, and a port. */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** A Unix domain socket. */
export interface UnixAddress {
  readonly path: string;
}

export type Address = TcpAddress | UnixAddress;

/** Where an endpoint runs, as in Envoy and xDS. What is not known is absent. */
export interface Locality {
  readonly region?: string;
  /** As in `eu-central-1a`: what `locality.zone` of a client is compared with. */
  readonly zone?: string;
  /** A part of a zone; the node, as Kubernetes reports it. */
  readonly subZone?: string;
}

/** One backend as discovery reports it. */
export interface Endpoint {
  readonly address: Address;
  /**
   * Its share of the calls relative to the others, as load-balancing weight in Envoy and xDS: a whole number from
   * 1 to 4294967295. Default 1.
   */
  readonly weight?: number;
  readonly locality?: Locality;
  /**
   * Endpoints of priority 0 are used first, those of 1 when too few of 0 are well, and so on, as in Envoy and xDS: a
   * whole number from 0 to 127. Default 0.
   */
  readonly priority?: number;
}

/** `host:port`, `[ipv6]:port` or `unix:path`: how people read it, and what tells one endpoint from another. */
export function addressToString(address: Address): string {
  if ('path' in address) return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
