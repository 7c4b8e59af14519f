import { MAX_ADDRESSES, readAddresses } from './addresses.js';
import { type DnsResolver, saysNone } from './resolver.js';

type Family = 4 | 6;

/** The state of a name after a query. */
export interface Found {
  /** IPv4 first, because most hosts can reach it. If the lookup of a family failed, its previous addresses. */
  readonly hosts: readonly string[];
  /** The minimum of all answers, in seconds; absent without an answer. */
  readonly ttl?: number;
  /** Absent if at least one family was answered with addresses. */
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
 * The addresses of names, by A and AAAA records. It remembers them for lookups that fail in part: a server that
 * sometimes has no answer for one family, or for one name of twenty, must not make endpoints come and go.
 */
export class AddressBook {
  readonly #last = new Map<string, readonly string[]>();

  /** Never fails: the result contains the error. */
  async find(name: string, resolver: DnsResolver): Promise<Found> {
    const answers = await Promise.all([this.#ask(name, 4, resolver), this.#ask(name, 6, resolver)]);
    const hosts = [...new Set(answers.flatMap((answer) => answer.hosts))];
    const ttls = answers.flatMap((answer) => answer.ttls);
    const warnings = answers.flatMap((answer) => answer.warnings);
    const failures = answers.flatMap(({ error }) => (error === undefined ? [] : [error]));
    if (failures.length < answers.length) {
      const lost = failures.find((error) => !saysNone(error));
      if (lost !== undefined) warnings.push(`"${name}" was resolved only in part: ${reasonOf(lost)}`);
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

/** Node's own messages already contain the code: `queryA ENOTFOUND orders`. */
export function reasonOf(error: unknown): string {
  const { code } = Object(error) as NodeJS.ErrnoException;
  const message = error instanceof Error ? error.message : String(error);
  return typeof code === 'string' && !message.includes(code) ? `${code}, ${message}` : message;
}
