import { afterEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import type { EndpointSource } from '../../core/endpoint-source.js';
import { addressToString } from '../../core/endpoint.js';
import { type DnsSourceOptions, dnsSourceFactory } from '../index.js';
import { parseTarget } from '../target.js';

interface Query {
  readonly host: string;
  readonly at: number;
  answer(...addresses: string[]): Promise<void>;
  fail(error: unknown): Promise<void>;
}

const notFound = (): Error => Object.assign(new Error('getaddrinfo ENOTFOUND orders'), { code: 'ENOTFOUND' });

/** A source on a virtual clock, over a resolver that answers when the test says so. */
class Bench {
  readonly clock = new FakeClock(500);
  readonly queries: Query[] = [];
  /** All that the listener received, in order. */
  readonly told: (readonly string[] | Error)[] = [];
  /** What the random source gives: 0 makes every wait 20 % shorter, 0.5 leaves it, almost 1 makes it 20 % longer. */
  random = 0.5;
  onTold = (): void => {};
  toldBeforeStarted = 0;
  readonly source: EndpointSource;

  constructor(options: DnsSourceOptions = {}, uri = 'dns:///orders:50051') {
    const context = { clock: this.clock, random: () => this.random };
    this.source = dnsSourceFactory({ lookup: this.#lookup, kubernetesServiceHost: false, ...options })(
      parseTarget(uri),
      context,
    );
  }

  start(): this {
    const tell = (what: readonly string[] | Error): void => {
      this.told.push(what);
      this.onTold();
    };
    this.source.start({
      onEndpoints: (endpoints) => tell(endpoints.map((endpoint) => addressToString(endpoint.address))),
      onError: tell,
      onWarning: (warning) => tell([warning]),
    });
    this.toldBeforeStarted = this.told.length;
    return this;
  }

  get errors(): string[] {
    return this.told.flatMap((what) => (what instanceof Error ? what.message : []));
  }

  /** When each query began. */
  get times(): number[] {
    return this.queries.map((query) => query.at - 500);
  }

  readonly #lookup: DnsSourceOptions['lookup'] = (host) => {
    const { promise, resolve, reject } = withResolvers<{ address: string; family: number }[]>();
    this.queries.push({
      host,
      at: this.clock.now(),
      answer: (...addresses) => {
        resolve(addresses.map((address) => ({ address, family: 4 })));
        return drained();
      },
      fail: (error) => {
        reject(error as Error);
        return drained();
      },
    });
    return promise;
  };
}

/** When every microtask has run. */
const drained = (): Promise<void> => new Promise(setImmediate);

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}

describe('dns:', () => {
  const benches: Bench[] = [];
  const bench = (options?: DnsSourceOptions, uri?: string): Bench => {
    benches.push(new Bench(options, uri));
    return benches.at(-1)!;
  };

  afterEach(() => {
    for (const { source } of benches.splice(0)) source.stop();
  });

  test('queries the host at once, and reports each address once, sorted, with the port', async () => {
    const { queries, told } = bench().start();
    expect(queries.map((query) => query.host)).toEqual(['orders']);
    await queries[0]!.answer('10.0.0.2', '10.0.0.1', '10.0.0.2');
    expect(told).toEqual([['10.0.0.1:50051', '10.0.0.2:50051']]);
  });

  test('a name without a port has port 443, as in gRPC', async () => {
    const { queries, told } = bench({}, 'orders.example').start();
    await queries[0]!.answer('10.0.0.1');
    expect(told).toEqual([['10.0.0.1:443']]);
  });

  test.each([
    ['dns:///10.0.0.1:50051', '10.0.0.1:50051'],
    ['[::1]:50051', '[::1]:50051'],
  ])('%s needs no look-up, and is reported once', async (uri, address) => {
    const { source, queries, told, clock, toldBeforeStarted } = bench({}, uri).start();
    expect(toldBeforeStarted).toBe(0);
    await drained();
    source.refresh();
    clock.advance(60_000);
    await drained();
    expect(told).toEqual([[address]]);
    expect(queries).toEqual([]);
  });

  test.each([
    [0, 8000],
    [0.5, 10_000],
    [1 - Number.EPSILON, 12_000],
  ])('queries again every 10 s ± 20 %% from start to start: random %d gives %d ms', async (random, interval) => {
    const dns = bench().start();
    dns.random = random;
    dns.clock.advance(300);
    await dns.queries[0]!.answer('10.0.0.1');
    dns.clock.advance(Math.floor(interval) - 301);
    expect(dns.queries).toHaveLength(1);
    dns.clock.advance(1);
    expect(dns.queries).toHaveLength(2);
    await dns.queries[1]!.answer('10.0.0.1', '10.0.0.2');
    expect(dns.told).toEqual([['10.0.0.1:50051'], ['10.0.0.1:50051', '10.0.0.2:50051']]);
  });

  test('refresh queries at once when the last query began a second ago', async () => {
    const dns = bench().start();
    await dns.queries[0]!.answer('10.0.0.1');
    dns.clock.advance(1000);
    dns.source.refresh();
    expect(dns.times).toEqual([0, 1000]);
  });

  test('refreshes within that second are coalesced into one at its end, and the interval restarts', async () => {
    const dns = bench().start();
    await dns.queries[0]!.answer('10.0.0.1');
    for (let i = 0; i < 9; i++) {
      dns.clock.advance(100);
      dns.source.refresh();
    }
    expect(dns.times).toEqual([0]);
    dns.clock.advance(100);
    expect(dns.times).toEqual([0, 1000]);
    await dns.queries[1]!.answer('10.0.0.1');
    dns.clock.advance(9999);
    expect(dns.times).toEqual([0, 1000]);
    dns.clock.advance(1);
    expect(dns.times).toEqual([0, 1000, 11_000]);
  });

  test('a refresh during a query causes another query, since the reason for it may be newer', async () => {
    const dns = bench().start();
    dns.clock.advance(2000);
    dns.source.refresh();
    dns.source.refresh();
    expect(dns.times).toEqual([0]);
    await dns.queries[0]!.answer('10.0.0.1');
    expect(dns.times).toEqual([0, 2000]);
    expect(dns.told).toEqual([['10.0.0.1:50051']]);
  });

  test('a failure is reported with host and code, and retried after 1 s · 1.6^n up to the interval', async () => {
    const dns = bench().start();
    for (let i = 0; i < 8; i++) {
      await dns.queries[i]!.fail(notFound());
      dns.clock.advance(dns.clock.nextIn!);
    }
    const waits = dns.times.slice(1).map((time, i) => Math.round(time - dns.times[i]!));
    expect(waits).toEqual([1000, 1600, 2560, 4096, 6554, 10_000, 10_000, 10_000]);
    expect(new Set(dns.errors)).toEqual(new Set(['DNS lookup of "orders" failed: getaddrinfo ENOTFOUND orders']));
  });

  test.each([
    [0, 2048],
    [1 - Number.EPSILON, 3072],
  ])('the third wait, 2560 ms, has jitter of ± 20 %%: random %d gives %d ms', async (random, wait) => {
    const dns = bench().start();
    for (let i = 0; i < 2; i++) {
      await dns.queries[i]!.fail(notFound());
      dns.clock.advance(dns.clock.nextIn!);
    }
    dns.random = random;
    await dns.queries[2]!.fail(notFound());
    expect(dns.clock.nextIn).toBeCloseTo(wait, 6);
  });

  test('the jitter of the first wait keeps queries at least a second apart', async () => {
    const dns = bench().start();
    dns.random = 0;
    await dns.queries[0]!.fail(notFound());
    expect(dns.clock.nextIn).toBe(1000);
  });

  test('an answer ends the backoff', async () => {
    const dns = bench().start();
    await dns.queries[0]!.fail(notFound());
    dns.clock.advance(1000);
    await dns.queries[1]!.answer('10.0.0.1');
    dns.clock.advance(10_000);
    await dns.queries[2]!.fail(notFound());
    expect(dns.clock.nextIn).toBe(1000);
  });

  test('refresh does not wait for the backoff', async () => {
    const dns = bench().start();
    await dns.queries[0]!.fail(notFound());
    dns.clock.advance(1000);
    await dns.queries[1]!.fail(notFound());
    dns.source.refresh();
    expect(dns.clock.nextIn).toBe(1000);
  });

  test('an answer without addresses is a failure', async () => {
    const dns = bench().start();
    await dns.queries[0]!.answer();
    expect(dns.errors).toEqual(['DNS lookup of "orders" failed: the answer has no addresses']);
    expect(dns.clock.nextIn).toBe(1000);
  });

  test.each([
    [Object.assign(new Error('try again'), { code: 'EAI_AGAIN' }), 'EAI_AGAIN, try again'],
    [new Error('no network'), 'no network'],
    ['a text', 'a text'],
    [undefined, 'undefined'],
  ])('%o is reported as %s', async (error, reason) => {
    const dns = bench().start();
    await dns.queries[0]!.fail(error);
    expect(dns.errors).toEqual([`DNS lookup of "orders" failed: ${reason}`]);
    expect(dns.told[0]).toHaveProperty('cause', error);
  });

  test('a look-up function that throws synchronously is a failure too, reported after start', async () => {
    const throwing = () => {
      throw new Error('out of order');
    };
    const dns = bench({ lookup: throwing }).start();
    expect(dns.toldBeforeStarted).toBe(0);
    await drained();
    expect(dns.errors).toEqual(['DNS lookup of "orders" failed: out of order']);
  });

  test('a query without an answer fails after 15 s, and a late answer is dropped', async () => {
    const dns = bench().start();
    dns.clock.advance(14_999);
    expect(dns.errors).toEqual([]);
    dns.clock.advance(1);
    expect(dns.errors).toEqual(['DNS lookup of "orders" failed: no answer within 15000 ms']);
    await dns.queries[0]!.answer('10.0.0.9');
    expect(dns.times).toEqual([0]);
    dns.clock.advance(1000);
    expect(dns.times).toEqual([0, 16_000]);
    await dns.queries[1]!.answer('10.0.0.1');
    expect(dns.told.slice(1)).toEqual([['10.0.0.1:50051']]);
  });

  test('a late answer is not taken for that of a later query', async () => {
    const dns = bench().start();
    dns.clock.advance(16_000);
    expect(dns.times).toEqual([0, 16_000]);
    await dns.queries[0]!.fail(notFound());
    expect(dns.errors).toHaveLength(1);
    await dns.queries[1]!.answer('10.0.0.1');
    expect(dns.told.at(-1)).toEqual(['10.0.0.1:50051']);
  });

  test.each([
    ['an answer', (query: Query) => query.answer('10.0.0.1')],
    ['a failure', (query: Query) => query.fail(notFound())],
  ])('after stop, %s is ignored, and neither refresh nor time starts a query', async (_, settle) => {
    const dns = bench().start();
    dns.source.stop();
    expect(dns.clock.pendingTimers).toBe(0);
    await settle(dns.queries[0]!);
    dns.source.refresh();
    dns.clock.advance(60_000);
    await drained();
    expect(dns.told).toEqual([]);
    expect(dns.times).toEqual([0]);
  });

  test('stop between two queries leaves no timer', async () => {
    const dns = bench().start();
    await dns.queries[0]!.answer('10.0.0.1');
    expect(dns.clock.pendingTimers).toBe(1);
    dns.source.stop();
    expect(dns.clock.pendingTimers).toBe(0);
  });

  test('the listener may refresh and stop', async () => {
    const dns = bench().start();
    dns.onTold = () => {
      dns.source.refresh();
    };
    await dns.queries[0]!.answer('10.0.0.1');
    expect(dns.clock.nextIn).toBe(1000);
    dns.clock.advance(1000);
    dns.onTold = () => {
      dns.source.stop();
    };
    await dns.queries[1]!.answer('10.0.0.1');
    expect(dns.clock.pendingTimers).toBe(0);
  });

  test('interval, spacing and timeout are options', async () => {
    const dns = bench({ refreshInterval: 400, minRefreshInterval: 200, timeout: 100 }).start();
    dns.clock.advance(100);
    expect(dns.errors).toEqual(['DNS lookup of "orders" failed: no answer within 100 ms']);
    dns.clock.advance(400);
    await dns.queries[1]!.answer('10.0.0.1');
    dns.source.refresh();
    dns.clock.advance(200);
    expect(dns.times).toEqual([0, 500, 700]);
  });

  test('the resolver of the system is used by default', async () => {
    const told = await new Promise((resolve) => {
      const context = { clock: new FakeClock(), random: () => 0.5 };
      const source = dnsSourceFactory()(parseTarget('localhost:50051'), context);
      const done = (what: unknown): void => (source.stop(), resolve(what));
      source.start({ onEndpoints: done, onError: done, onWarning: done });
    });
    expect([['127.0.0.1'], ['::1'], ['127.0.0.1', '::1'], ['::1', '127.0.0.1']]).toContainEqual(
      (told as { address: { host: string } }[]).map(({ address }) => address.host),
    );
  });
});
