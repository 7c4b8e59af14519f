import type { EndpointAnswer, EndpointSource } from '../../../libs/grpc-lb/src/core/endpoint-source.js';
import { addressToString, type Endpoint } from '../../../libs/grpc-lb/src/core/endpoint.js';
import { type DnsSourceOptions, dnsSourceFactory, parseTarget } from '../../../libs/grpc-lb/src/discovery/index.js';
import { FakeClock } from '../time/fake-clock.js';
import { FakeDns } from './fake-dns.js';

/** A source that queries a DNS server of the test, on a virtual clock. */
export class DnsBench {
  readonly clock = new FakeClock();
  readonly source: EndpointSource;
  /** The lists, one string for each endpoint: `10.0.0.1:50051`, with `;weight;priority` if it has them. */
  readonly lists: string[][] = [];
  readonly answers: EndpointAnswer[] = [];
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  /** What the random source gives: 0.5 leaves an interval as it is, and makes 10 % of the 20 % that a TTL may get. */
  random = 0;

  constructor(
    readonly dns: FakeDns,
    uri: string,
    options: DnsSourceOptions = {},
  ) {
    const context = { clock: this.clock, random: () => this.random };
    const factory = dnsSourceFactory({ resolver: dns.resolver, kubernetesServiceHost: false, ...options });
    this.source = factory(parseTarget(uri), context);
  }

  async start(): Promise<this> {
    this.source.start({
      onEndpoints: (endpoints, answer = {}) => {
        this.lists.push(endpoints.map(textOf));
        this.answers.push(answer);
      },
      onError: (error) => this.errors.push(error.message),
      onWarning: (warning) => this.warnings.push(warning),
    });
    await this.settled();
    return this;
  }

  get last(): string[] | undefined {
    return this.lists.at(-1);
  }

  /** Advances to the next look-up, and waits for its result. */
  async next(): Promise<void> {
    this.clock.advance(this.clock.nextIn!);
    await this.settled();
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settled();
  }

  /** When every microtask has run. */
  settled(): Promise<void> {
    return new Promise(setImmediate);
  }
}

function textOf({ address, weight, priority }: Endpoint): string {
  return [addressToString(address), weight, priority].filter((part) => part !== undefined).join(';');
}
