/** A TCP address: a host that is an IP literal or a name, and a port. */
export interface TcpAddress {
  /** A host name or an IP literal, IPv6 without brackets. */
  readonly host: string;
  /** A port from 1 to 65535. */
  readonly port: number;
}

/** A Unix domain socket. */
export interface UnixAddress {
  /** The path of the socket. */
  readonly path: string;
}

/** Where an endpoint listens. */
export type Address = TcpAddress | UnixAddress;

/** Where an endpoint runs, as in Envoy and xDS. Unknown parts are absent. */
export interface Locality {
  /** As in `eu-central-1`. */
  readonly region?: string;
  /** As in `eu-central-1a`; compared with `locality.zone` of the client. */
  readonly zone?: string;
  /** A part of a zone; the node, as Kubernetes reports it. */
  readonly subZone?: string;
}

/** One backend as discovery reports it. */
export interface Endpoint {
  /** Where it listens. */
  readonly address: Address;
  /**
   * Share of the calls relative to the other endpoints, as the load-balancing weight in Envoy and xDS: a whole number
   * from 1 to 4294967295.
   *
   * @default 1
   */
  readonly weight?: number;
  /**
   * Where it runs, for zone-aware routing.
   *
   * @default none: unknown
   */
  readonly locality?: Locality;
  /**
   * Endpoints of priority 0 are used first, those of 1 when too few of 0 are healthy, and so on, as in Envoy and xDS: a
   * whole number from 0 to 127.
   *
   * @default 0
   */
  readonly priority?: number;
  /**
   * Whether it answers, but others should be preferred, as `DEGRADED` in Envoy and xDS: it gets calls only while the
   * healthy endpoints of all priorities cannot carry them.
   *
   * @default false
   */
  readonly degraded?: boolean;
}

/** `host:port`, `[ipv6]:port` or `unix:path`: the readable form, which also identifies an endpoint. */
export function addressToString(address: Address): string {
  if ('path' in address) return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
