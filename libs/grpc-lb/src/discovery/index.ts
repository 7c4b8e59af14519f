export type { DnsSourceOptions } from './dns/dns-options.js';
export type { DnsLookup } from './dns/system-lookup.js';
export { isServiceAddress } from './dns/cluster-ip.js';
export { dnsSourceFactory } from './dns/dns-source-factory.js';
export type { LookupAddress } from './dns/addresses.js';
export type { AddressRecord, DnsResolver, DnsResolverFactory, SrvRecord } from './dns/resolver.js';
export { type HostPortOptions, parseHostPort } from './host-port.js';
export {
  createEndpointSource,
  registerEndpointSource,
  type RegisterEndpointSourceOptions,
  registeredSchemes,
} from './registry.js';
export { parseTarget } from './target.js';
