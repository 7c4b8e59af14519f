import type {
  AddressRecord,
  DnsResolver,
  DnsResolverFactory,
  SrvRecord,
} from '../../../libs/grpc-lb/src/discovery/dns/resolver.js';

type Type = 'A' | 'AAAA' | 'SRV' | 'TXT';

/** As Node words it: `queryA ENOTFOUND orders`. */
export function dnsError(type: Type, code: string, name: string): Error {
  const call = { A: 'queryA', AAAA: 'queryAaaa', SRV: 'querySrv', TXT: 'queryTxt' }[type];
  return Object.assign(new Error(`${call} ${code} ${name}`), { code });
}

interface Hanging {
  settle(): void;
  reject(error: Error): void;
}

/** A DNS server whose zone a test writes as it goes, and the resolvers that ask it. */
export class FakeDns {
  /** The answer to a query such as `A orders`; an error code fails it, and a missing entry is not found. */
  readonly records = new Map<string, unknown>();
  /** All that was asked, in order. */
  readonly asked: string[] = [];
  /** Which servers each resolver was made for. */
  readonly servers: (readonly string[])[] = [];
  /** While it is true, questions wait for `answer`. */
  silent = false;
  #hanging: Hanging[] = [];

  /** Questions that are neither answered nor cancelled. */
  get pending(): number {
    return this.#hanging.length;
  }

  set(question: string, answer: unknown): this {
    this.records.set(question, answer);
    return this;
  }

  /** IPv4 addresses with one time to live. */
  a(name: string, ttl: number, ...addresses: string[]): this {
    return this.set(
      `A ${name}`,
      addresses.map((address): AddressRecord => ({ address, ttl })),
    );
  }

  /** As in a zone file: `0 5 50051 a.shop`. */
  srv(name: string, ...lines: string[]): this {
    return this.set(`SRV ${name}`, lines.map(srvRecord));
  }

  /** Answers all that waits, with what the zone holds now. */
  async answer(): Promise<void> {
    const hanging = this.#hanging;
    this.#hanging = [];
    for (const question of hanging) question.settle();
    await new Promise(setImmediate);
  }

  readonly resolver: DnsResolverFactory = (servers): DnsResolver => {
    this.servers.push(servers);
    const mine = new Set<Hanging>();
    const ask = <T>(type: Type, name: string): Promise<T> => {
      this.asked.push(`${type} ${name}`);
      return new Promise<T>((resolve, reject) => {
        const settle = (): void => {
          const answer = this.records.get(`${type} ${name}`) ?? 'ENOTFOUND';
          if (typeof answer === 'string') reject(dnsError(type, answer, name));
          else resolve(answer as T);
        };
        if (!this.silent) return settle();
        const question: Hanging = { settle, reject };
        mine.add(question);
        this.#hanging.push(question);
      });
    };
    return {
      resolve4: (name) => ask('A', name),
      resolve6: (name) => ask('AAAA', name),
      resolveSrv: (name) => ask('SRV', name),
      resolveTxt: (name) => ask('TXT', name),
      cancel: () => {
        for (const question of mine) question.reject(Object.assign(new Error('cancelled'), { code: 'ECANCELLED' }));
        this.#hanging = this.#hanging.filter((question) => !mine.has(question));
      },
    };
  };
}

export function srvRecord(line: string): SrvRecord {
  const [priority, weight, port, name = ''] = line.split(' ');
  return { priority: Number(priority), weight: Number(weight), port: Number(port), name: name === '.' ? '' : name };
}
