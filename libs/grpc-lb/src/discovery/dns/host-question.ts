import type { Endpoint, TcpAddress } from '../../core/endpoint.js';
import { AddressBook } from './address-book.js';
import { readAddresses } from './addresses.js';
import type { EffectiveDnsOptions } from './dns-options.js';
import type { DnsLookup } from './system-lookup.js';
import type { DnsAnswer, DnsQuestion } from './question.js';
import { resolverUntil } from './resolver.js';

/** All addresses of a name, as the system knows them. */
export class SystemHostQuestion implements DnsQuestion {
  readonly subject: string;

  constructor(
    private readonly address: TcpAddress,
    private readonly lookup: DnsLookup,
  ) {
    this.subject = `"${address.host}"`;
  }

  async ask(): Promise<DnsAnswer> {
    const { host, port } = this.address;
    const { hosts, warnings } = readAddresses(await this.lookup(host, { all: true, order: 'verbatim' }), host);
    if (hosts.length === 0) throw new Error('the answer has no addresses');
    return { endpoints: withPort(hosts, port), warnings };
  }
}

/** All addresses of a name, as some DNS servers know them. */
export class ServerHostQuestion implements DnsQuestion {
  readonly subject: string;
  readonly #book = new AddressBook();

  constructor(
    private readonly address: TcpAddress,
    private readonly servers: readonly string[],
    private readonly options: EffectiveDnsOptions,
  ) {
    this.subject = `"${address.host}" at ${servers.join(', ')}`;
  }

  async ask(signal: AbortSignal): Promise<DnsAnswer> {
    const { resolver: make, timeout } = this.options;
    const resolver = resolverUntil(signal, make, this.servers, timeout);
    const { hosts, ttl, warnings, error } = await this.#book.find(this.address.host, resolver);
    if (error !== undefined) throw error;
    return { endpoints: withPort(hosts, this.address.port), warnings, ...(ttl !== undefined && { ttl }) };
  }
}

function withPort(hosts: readonly string[], port: number): Endpoint[] {
  return hosts.map((host) => ({ address: { host, port } }));
}
