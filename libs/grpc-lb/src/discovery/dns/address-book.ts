import { MAX_ADDRESSES, readAddresses } from './addresses.js';
import { type DnsResolver, saysNone } from './resolver.js';

type Family = 4 | 6;

/** What is known of a name after it was asked for. */
export interface Found {
  /** IPv4 first, as most hosts can reach that. Of a family whose look-up failed, those of the last time. */
  readonly hosts: readonly string[];
  /** The least of the answers, in seconds; absent without an answer. */
  readonly ttl?: number;
  /** Absent if at least one family has been answered with addresses. */
  readonly error?: Error;
  readonly warnings: readonly string[];
}

interface FamilyAnswer {
  readonly hosts: readonly string[];
  readonly ttls: readonly number[];
  readonly error?: Error;
  readonly warnings: readonly string[];
}

/**
 * The addresses of names, by A and AAAA records. What it remembers is for look-ups that fail in part: a server that
 * now and then has no answer for one family, or for one name of twenty, must not make endpoints come and go.
 */
export class AddressBook {
  readonly #last = new Map<string, readonly string[]>();

  /** Never fails: what went wrong is in the result. */
  async find(name: string, resolver: DnsResolver): Promise<Found> {
    const answers = await Promise.all([this.#ask(name, 4, resolver), this.#ask(name, 6, resolver)]);
    const hosts = [...new Set(answers.flatMap((answer) => answer.hosts))];
    const ttls = answers.flatMap((answer) => answer.ttls);
    const warnings = answers.flatMap((answer) => answer.warnings);
    const failures = answers.flatMap(({ error }) => (error === undefined ? [] : [error]));
    if (failures.length < answers.length) {
      const lost = failures.find((error) => !saysNone(error));
      if (lost !== undefined) warnings.push(`"${name}" was found only in part, ${reasonOf(lost)}`);
      return { hosts, warnings, ...(ttls.length > 0 && { ttl: ttls.reduce((a, b) => Math.min(a, b)) }) };
    }
    // A missing AAAA record is normal; a failed query for A records is not.
    return { hosts, warnings, error: failures.find((error) => !saysNone(error)) ?? failures[0] };
  }

  /** Forgets all other names. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const key of this.#last.keys()) if (!names.has(key.slice(2))) this.#last.delete(key);
  }

  async #ask(name: string, family: Family, resolver: DnsResolver): Promise<FamilyAnswer> {
    const key = `${family} ${name}`;
    try {
      const records = await (family === 4
        ? resolver.resolve4(name, { ttl: true })
        : resolver.resolve6(name, { ttl: true }));
      const { hosts, warnings } = readAddresses(records, name);
      if (records.length === 0) throw Object.assign(new Error('ENODATA, no records'), { code: 'ENODATA' });
      if (hosts.length === 0) throw new Error('the answer has no addresses');
      this.#last.set(key, hosts);
      return { hosts, warnings, ttls: records.slice(0, MAX_ADDRESSES).flatMap(ttlOf) };
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (saysNone(error)) this.#last.delete(key);
      return { hosts: this.#last.get(key) ?? [], ttls: [], warnings: [], error };
    }
  }
}

function ttlOf(record: unknown): number[] {
  const { ttl } = Object(record) as { readonly ttl?: unknown };
  return typeof ttl === 'number' && ttl >= 0 ? [ttl] : [];
}

/** Node's own messages hold the code already: `queryA ENOTFOUND orders`. */
export function reasonOf(error: unknown): string {
  const { code } = Object(error) as NodeJS.ErrnoException;
  const message = error instanceof Error ? error.message : String(error);
  return typeof code === 'string' && !message.includes(code) ? `${code}, ${message}` : message;
}
