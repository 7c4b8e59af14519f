import { isIP } from 'node:net';
import type { EndpointSourceFactory, Target } from '../core/endpoint-source.js';
import type { TcpAddress } from '../core/endpoint.js';
import { GrpcLbOptionsError, shown } from '../core/options/validation.js';
import { type DnsSourceOptions, effectiveDnsOptions } from './dns-options.js';
import { DnsSource } from './dns-source.js';
import { FixedSource } from './fixed-source.js';
import { parseHostPort } from './host-port.js';
import { targetSubject } from './target.js';

/** What gRPC takes for a DNS name without a port. */
const DEFAULT_PORT = 443;

/**
 * Makes sources for `dns:///host:port`. The built-in one has the default options; to have others, put your own in its
 * place: `registerEndpointSource('dns', dnsSourceFactory({ refreshInterval: 5000 }), { replace: true })`.
 */
export function dnsSourceFactory(options: DnsSourceOptions = {}): EndpointSourceFactory {
  const effective = effectiveDnsOptions(options);
  return (target, context) => {
    const address = parseAddress(target);
    return isIP(address.host) ? new FixedSource([{ address }]) : new DnsSource(address, effective, context);
  };
}

function parseAddress(target: Target): TcpAddress {
  const refuse = (path: string, message: string): never => {
    throw new GrpcLbOptionsError(targetSubject(target), [{ path, message }]);
  };
  if (target.authority !== '') {
    const remedy = `write dns:///${target.path}, which asks the resolver of this system`;
    refuse(
      'authority',
      `is ${shown(target.authority)}; asking a DNS server of your choice is not supported yet: ${remedy}`,
    );
  }
  if (target.path.includes(',')) {
    refuse(
      'address',
      `is ${shown(target.path)}; DNS looks up one name: for several addresses write static:///${target.path}`,
    );
  }
  return parseHostPort(target.path, targetSubject(target), { defaultPort: DEFAULT_PORT });
}
