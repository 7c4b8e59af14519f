import { isIP } from 'node:net';
import { AddressBook, type Found, reasonOf } from './address-book.js';
import { MAX_ADDRESSES } from './addresses.js';
import type { EffectiveDnsOptions } from './dns-options.js';
import type { DnsAnswer, DnsQuestion } from './question.js';
import { type DnsResolver, resolverUntil } from './resolver.js';
import { readSrvRecords, srvEndpoints } from './srv-records.js';

/** Lookups of targets at one time: a thousand at once overflow the buffers of a socket. */
const LANES = 32;
/** The number of targets to name in a warning: if many are not found, a few are enough. */
const MAX_WARNED = 5;

/**
 * The endpoints that SRV records name: one question for the records, then two for the addresses of each target, and no
 * further one, so that nothing can loop.
 */
export class SrvQuestion implements DnsQuestion {
  readonly subject: string;
  readonly #book = new AddressBook();

  constructor(
    private readonly name: string,
    private readonly servers: readonly string[],
    private readonly options: EffectiveDnsOptions,
  ) {
    this.subject = `"${name}"${servers.length > 0 ? ` at ${servers.join(', ')}` : ''}`;
  }

  async ask(signal: AbortSignal): Promise<DnsAnswer> {
    const resolver = resolverUntil(signal, this.options.resolver, this.servers, this.options.timeout);
    const { targets, unavailable, warnings } = readSrvRecords(await resolver.resolveSrv(this.name), this.name);
    if (unavailable) {
      const warning = `"${this.name}" has the SRV target ".", which means that the service is unavailable`;
      return { endpoints: [], authoritative: true, warnings: [warning] };
    }
    if (targets.length === 0) throw new Error('the answer has no usable SRV records');

    const names = new Set(targets.map(({ address }) => address.host));
    // Set before they are queried: a zone that names new targets each time, and never answers for them in time, must
    // not fill the memory.
    this.#book.keepOnly(names);
    const found = await this.#findAll([...names], resolver, signal);
    const answers = [...found.values()];
    if (answers.every(({ error }) => error !== undefined)) throw answers[0]!.error!;
    const { endpoints, tooMany } = srvEndpoints(targets, (name) => found.get(name)?.hosts ?? []);
    const cut = tooMany || found.size < names.size;
    const more = cut ? [`"${this.name}" has more than ${MAX_ADDRESSES} addresses; the best are used`] : [];
    return {
      endpoints,
      ttl: this.#ttl(answers),
      warnings: [...warnings, ...more, ...[...found].flatMap(warningsOf).slice(0, MAX_WARNED)],
    };
  }

  /** Node does not expose the TTL of SRV records, so they are queried after `refreshInterval` at the latest. */
  #ttl(answers: readonly Found[]): number {
    const told = answers.flatMap(({ ttl }) => ttl ?? []);
    return told.reduce((a, b) => Math.min(a, b), this.options.refreshInterval / 1000);
  }

  /** The best first, until there are enough addresses: a thousand full answers would be minutes of work. */
  async #findAll(
    names: readonly string[],
    resolver: DnsResolver,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Found>> {
    const found = new Map<string, Found>();
    const waiting = names.values();
    let addresses = 0;
    const lane = async (): Promise<void> => {
      for (const name of waiting) {
        signal.throwIfAborted();
        // Some registries write addresses where the RFC requires names.
        const one = isIP(name) > 0 ? { hosts: [name], warnings: [] } : await this.#book.find(name, resolver);
        found.set(name, one);
        addresses += one.hosts.length;
        if (addresses > MAX_ADDRESSES) return;
      }
    };
    await Promise.all(Array.from({ length: Math.min(LANES, names.length) }, lane));
    return found;
  }
}

/** A target that is not found is not a failure: the others are used. */
function warningsOf([name, { hosts, error, warnings }]: [string, Found]): readonly string[] {
  if (error === undefined) return warnings;
  const so = hosts.length > 0 ? 'its last addresses stay in use' : 'it is left out';
  return [...warnings, `the SRV target "${name}" was not found, and ${so}: ${reasonOf(error)}`];
}
