import { isIP } from 'node:net';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { boolean, type Check, fields, integer, shown } from '../../core/options/validation.js';
import { type DnsResolverFactory, nodeResolver } from './resolver.js';
import { type DnsLookup, systemLookup } from './system-lookup.js';

/** Options of DNS lookups, for `dnsSourceFactory`. */
export interface DnsSourceOptions {
  /**
   * Milliseconds between lookups if no record has a TTL, ± 20 %, `minRefreshInterval` to 86400000.
   *
   * @default 10000
   */
  readonly refreshInterval?: number;
  /**
   * Minimum milliseconds between lookups, whatever triggers them, 100 to 86400000.
   *
   * @default 1000
   */
  readonly minRefreshInterval?: number;
  /**
   * Maximum milliseconds between lookups, + 20 %, if records have longer TTLs, `minRefreshInterval` to 86400000.
   *
   * @default 30000, or `refreshInterval` if that is more
   */
  readonly maxRefreshInterval?: number;
  /**
   * Timeout of a lookup in milliseconds, 100 to 600000. The system resolver waits 5 s for a name server that is down
   * before it asks the second one, so a shorter timeout may miss its answer.
   *
   * @default 15000
   */
  readonly timeout?: number;
  /**
   * Function that looks up the addresses of a name, for targets without a DNS server.
   *
   * @default `dns.promises.lookup` of Node, which is the system's resolver, so that /etc/hosts, search domains and the
   *   short names of Kubernetes work
   */
  readonly lookup?: DnsLookup;
  /**
   * Factory of the resolver for DNS servers that a target names, and for SRV and TXT records.
   *
   * @default `dns.promises.Resolver` of Node
   */
  readonly resolver?: DnsResolverFactory;
  /**
   * Whether the service config of the TXT record `_grpc_config.<name>` is used (gRFC A2).
   *
   * @default false
   */
  readonly serviceConfig?: boolean;
  /**
   * Cluster IP of the Kubernetes API server, from which the cluster IPs of other Services are recognized: a name with a
   * single such address gets a warning. `false` disables it.
   *
   * @default the environment variable KUBERNETES_SERVICE_HOST
   */
  readonly kubernetesServiceHost?: string | false;
}

export type EffectiveDnsOptions = Required<DnsSourceOptions>;

const DAY_MS = 86_400_000;

const isFunction: Check = (path, value, faults) => {
  if (typeof value !== 'function') faults.push({ path, message: `is ${shown(value)}; use a function` });
};
const isAddress: Check = (path, value, faults) => {
  if (value === false || (typeof value === 'string' && isIP(value) > 0)) return;
  faults.push({ path, message: `is ${shown(value)}; use an IP address, or false for no warning` });
};

const check = fields({
  refreshInterval: integer({ min: 100, max: DAY_MS, unit: 'milliseconds' }),
  minRefreshInterval: integer({ min: 100, max: DAY_MS, unit: 'milliseconds' }),
  maxRefreshInterval: integer({ min: 100, max: DAY_MS, unit: 'milliseconds' }),
  timeout: integer({ min: 100, max: 600_000, unit: 'milliseconds' }),
  lookup: isFunction,
  resolver: isFunction,
  serviceConfig: boolean,
  kubernetesServiceHost: isAddress,
});

/** Checks the options, all faults in one error, and fills in the defaults. */
export function effectiveDnsOptions(options: DnsSourceOptions): EffectiveDnsOptions {
  const faults: Fault[] = [];
  check('options', options, faults);
  const {
    refreshInterval = 10_000,
    minRefreshInterval = 1000,
    maxRefreshInterval = Math.max(30_000, refreshInterval),
    timeout = 15_000,
    lookup = systemLookup,
    resolver = nodeResolver,
    serviceConfig = false,
    kubernetesServiceHost = process.env['KUBERNETES_SERVICE_HOST'] ?? false,
  } = options ?? {};
  if (faults.length === 0) {
    for (const [name, interval] of Object.entries({ refreshInterval, maxRefreshInterval })) {
      if (interval >= minRefreshInterval) continue;
      const remedy = `use ${minRefreshInterval} or more, or lower minRefreshInterval as well`;
      faults.push({
        path: `options.${name}`,
        message: `is ${interval}, less than minRefreshInterval ${minRefreshInterval}; ${remedy}`,
      });
    }
  }
  if (faults.length > 0) throw new GrpcLbOptionsError('dnsSourceFactory', faults);
  return {
    refreshInterval,
    minRefreshInterval,
    maxRefreshInterval,
    timeout,
    lookup,
    resolver,
    serviceConfig,
    kubernetesServiceHost,
  };
}
