import { promises as dns } from 'node:dns';
import { type Check, type Fault, fields, GrpcLbOptionsError, integer, shown } from '../core/options/validation.js';
import type { LookupAddress } from './dns-answer.js';

/** How a name becomes addresses; `dns.promises.lookup` of Node is one. */
export type DnsLookup = (
  hostname: string,
  options: { readonly all: true; readonly order: 'verbatim' },
) => Promise<readonly LookupAddress[]>;

export interface DnsSourceOptions {
  /** Milliseconds from one look-up to the next, ± 20 %, `minRefreshInterval` to 86400000. Default 10000. */
  readonly refreshInterval?: number;
  /** Milliseconds between two look-ups at least, whatever the reason to ask again, 100 to 86400000. Default 1000. */
  readonly minRefreshInterval?: number;
  /**
   * Milliseconds that a look-up may take before it counts as failed, 100 to 600000. Default 15000: the system's resolver
   * waits 5 s for a name server that is down before it asks the second, and a host with one must get its answer.
   */
  readonly timeout?: number;
  /**
   * Asks for the addresses of a name. Default: `dns.promises.lookup` of Node, which is the system's resolver, so
   * that /etc/hosts, search domains and the short names of Kubernetes work.
   */
  readonly lookup?: DnsLookup;
}

/** Found when it is called, so that what instruments `dns.promises` is seen. */
const systemLookup: DnsLookup = (hostname, options) => dns.lookup(hostname, options);

const DAY_MS = 86_400_000;

const isFunction: Check = (path, value, faults) => {
  if (typeof value !== 'function') faults.push({ path, message: `is ${shown(value)}; use a function` });
};

const check = fields({
  refreshInterval: integer({ min: 100, max: DAY_MS, unit: 'milliseconds' }),
  minRefreshInterval: integer({ min: 100, max: DAY_MS, unit: 'milliseconds' }),
  timeout: integer({ min: 100, max: 600_000, unit: 'milliseconds' }),
  lookup: isFunction,
});

/** Checks the options, all faults in one error, and fills in the defaults. */
export function effectiveDnsOptions(options: DnsSourceOptions): Required<DnsSourceOptions> {
  const faults: Fault[] = [];
  check('options', options, faults);
  const {
    refreshInterval = 10_000,
    minRefreshInterval = 1000,
    timeout = 15_000,
    lookup = systemLookup,
  } = options ?? {};
  if (faults.length === 0 && refreshInterval < minRefreshInterval) {
    const remedy = `use ${minRefreshInterval} or more, or lower minRefreshInterval as well`;
    faults.push({
      path: 'options.refreshInterval',
      message: `is ${refreshInterval}, less than minRefreshInterval ${minRefreshInterval}; ${remedy}`,
    });
  }
  if (faults.length > 0) throw new GrpcLbOptionsError('dnsSourceFactory', faults);
  return { refreshInterval, minRefreshInterval, timeout, lookup };
}
