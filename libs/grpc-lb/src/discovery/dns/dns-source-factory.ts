import { isIP } from 'node:net';
import type { EndpointSourceFactory } from '../../core/endpoint-source.js';
import { FixedSource } from '../fixed-source.js';
import { ConfigQuestion } from './config-question.js';
import { type DnsSourceOptions, effectiveDnsOptions } from './dns-options.js';
import { DnsSource } from './dns-source.js';
import { parseDnsTarget } from './dns-target.js';
import { ServerHostQuestion, SystemHostQuestion } from './host-question.js';
import { SrvQuestion } from './srv-question.js';

/**
 * Creates a factory of sources for `dns:///host:port`, and for `dns+srv:///_grpc._tcp.host` if its scheme ends in
 * `+srv`. The authority of a target names the DNS server. The built-in sources have the default options; register your
 * own to change them.
 *
 * @throws GrpcLbOptionsError that lists all faults of the options.
 * @example
 *   registerEndpointSource('dns', dnsSourceFactory({ refreshInterval: 5000 }), { replace: true });
 */
export function dnsSourceFactory(options: DnsSourceOptions = {}): EndpointSourceFactory {
  const effective = effectiveDnsOptions(options);
  return (target, context) => {
    const srv = target.scheme.endsWith('+srv');
    const { address, servers } = parseDnsTarget(target, srv);
    if (isIP(address.host) > 0) return new FixedSource([{ address }]);
    const question = srv
      ? new SrvQuestion(address.host, servers, effective)
      : servers.length > 0
        ? new ServerHostQuestion(address, servers, effective)
        : new SystemHostQuestion(address, effective.lookup);
    const whole = effective.serviceConfig
      ? new ConfigQuestion(question, address.host, servers, effective, context)
      : question;
    return new DnsSource(address.host, whole, effective, context);
  };
}
