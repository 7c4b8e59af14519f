import { isIP } from 'node:net';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { boolean, type Check, fields, integer, shown } from '../../core/options/validation.js';
import { type DnsResolverFactory, nodeResolver } from './resolver.js';
import { type DnsLookup, systemLookup } from './system-lookup.js';

/** How DNS is looked up, for `dnsSourceFactory`. */
export interface DnsSourceOptions {
  /**
   * Milliseconds from one look-up to the next where no record says how long it holds, ± 20 %, `minRefreshInterval` to
   * 86400000. Default 10000.
   */
  readonly refreshInterval?: number;
  /** Milliseconds between two look-ups at least, whatever the reason to ask again, 100 to 86400000. Default 1000. */
  readonly minRefreshInterval?: number;
  /**
   * Milliseconds from one look-up to the next at most, + 20 %, where records hold for longer, `minRefreshInterval` to
   * 86400000. Default 30000, or `refreshInterval` if that is more.
   */
  readonly maxRefreshInterval?: number;
  /**
   * Milliseconds that a look-up may take before it counts as failed, 100 to 600000. Default 15000: the system's resolver
   * waits 5 s for a name server that is down before it asks the second, and a host with one must get its answer.
   */
  readonly timeout?: number;
  /**
   * Asks for the addresses of a name, for targets that name no DNS server. Default: `dns.promises.lookup` of Node, which
   * is the system's resolver, so that /etc/hosts, search domains and the short names of Kubernetes work.
   */
  readonly lookup?: DnsLookup;
  /**
   * Makes who asks DNS servers: those that a target names, and for SRV and TXT records. Default: `dns.promises.Resolver`
   * of Node.
   */
  readonly resolver?: DnsResolverFactory;
  /** Takes the service config from the TXT record of `_grpc_config.<name>` (gRFC A2). Default false. */
  readonly serviceConfig?: boolean;
  /**
   * The cluster IP of the API server of Kubernetes, by which those of other Services are known: a name that has one such
   * address gets a warning. `false` for none. Default: KUBERNETES_SERVICE_HOST of the environment, and none without.
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
