import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DnsBench } from '../../../../../test/support/discovery/dns-bench.js';
import { FakeDns } from '../../../../../test/support/discovery/fake-dns.js';
import { seededRandom } from '../../core/random.js';
import type { DnsResolverFactory } from './resolver.js';

// A fixed seed keeps failures reproducible; set FAST_CHECK_SEED to try another one.
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) });

const HOSTS = ['a', 'b', 'c'];
const NAME = '_grpc._tcp.orders';

const address = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 6 }).map((n) => `10.0.0.${n}`) },
  { weight: 1, arbitrary: fc.constantFrom('fd00::1', 'not-an-address', '', 7) },
);
const ttl = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 90 }) },
  fc.constantFrom(-1, NaN, 1e12, '5', null),
);
const addressRecord = fc.oneof(
  { weight: 9, arbitrary: fc.record({ address, ttl }) },
  { weight: 1, arbitrary: fc.anything() },
);
const code = fc.constantFrom('ENOTFOUND', 'ENODATA', 'ESERVFAIL', 'ETIMEOUT', 'EREFUSED');
const records = <T>(record: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.array(record, { maxLength: 6 }) },
    { weight: 3, arbitrary: code },
    { weight: 1, arbitrary: fc.anything().filter((value) => typeof value !== 'string') },
  );
const srvRecord = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      name: fc.constantFrom(...HOSTS),
      port: fc.integer({ min: 1, max: 3 }),
      priority: fc.integer({ min: 0, max: 3 }),
      weight: fc.integer({ min: 0, max: 9 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ name: '', port: 0, priority: 0, weight: 0 }) },
  { weight: 1, arbitrary: fc.anything() },
);

type Change = [question: string, answer: unknown];
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(
    fc.constantFrom(...[...HOSTS, 'orders'].flatMap((host) => [`A ${host}`, `AAAA ${host}`])),
    records(addressRecord),
  ),
  fc.tuple(fc.constant(`SRV ${NAME}`), records(srvRecord)),
  fc.tuple(fc.constant('TXT _grpc_config.orders'), records(fc.array(fc.string()))),
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('change' as const), change }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 12_000 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'refresh' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('silent' as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'answer' as const }) },
);

/** The spacing and the number of look-ups, seen from the resolvers that are made for them. */
class Watched extends FakeDns {
  readonly violations: string[] = [];
  open = 0;
  #lastAt = -Infinity;
  now = (): number => 0;

  readonly watchedResolver: DnsResolverFactory = (servers, timeout) => {
    // Jitter makes fractions of a millisecond, and adding those up rounds.
    if (this.now() - this.#lastAt < 1000 - 1e-6) this.violations.push(`${this.#lastAt} and again ${this.now()}`);
    if (this.open > 0) this.violations.push(`two look-ups at ${this.now()}`);
    this.#lastAt = this.now();
    this.open++;
    const resolver = this.resolver(servers, timeout);
    let isOpen = true;
    const cancel = (): void => {
      if (isOpen) this.open--;
      isOpen = false;
      resolver.cancel();
    };
    return { ...resolver, cancel };
  };
}

test.each([['dns://10.0.0.2/orders:1'], [`dns+srv:///${NAME}`]])(
  '%s survives every answer: lists are whole and well formed, look-ups a second apart and one at a time, and stop is the end',
  async (uri) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, seed) => {
        const dns = new Watched();
        dns.a('orders', 5, '10.0.0.1').a('a', 5, '10.0.0.1').srv(NAME, '0 0 1 a');
        const bench = new DnsBench(dns, uri, { resolver: dns.watchedResolver });
        dns.now = () => bench.clock.now();
        const random = seededRandom(seed);
        await bench.start();
        for (const next of steps) {
          bench.random = random();
          if (next.kind === 'change') dns.set(...next.change);
          else if (next.kind === 'advance') await bench.advance(next.ms);
          else if (next.kind === 'refresh') bench.source.refresh();
          else if (next.kind === 'silent') dns.silent = next.on;
          else await dns.answer();
          await bench.settled();
          // It is querying, or will within the longest interval and its jitter.
          expect(bench.clock.pendingTimers).toBe(1);
          expect(bench.clock.nextIn).toBeLessThanOrEqual(36_000);
        }
        for (const [i, list] of bench.lists.entries()) {
          expect(list.length > 0 || bench.answers[i]!.authoritative).toBe(true);
          expect(new Set(list).size).toBe(list.length);
          for (const endpoint of list)
            expect(endpoint).toMatch(/^(10\.0\.0\.[1-6]|\[fd00::1\]):[1-3](;[1-9]\d*;[0-3])?$/);
          const ranks = new Set(list.map((endpoint) => Number(endpoint.split(';')[2] ?? 0)));
          expect(ranks).toEqual(new Set(Array.from(ranks, (_, rank) => rank)));
        }
        const told = bench.lists.length + bench.errors.length + bench.warnings.length;
        const asked = dns.asked.length;
        bench.source.stop();
        bench.source.refresh();
        expect(bench.clock.pendingTimers).toBe(0);
        expect(dns.pending).toBe(0);
        await bench.advance(100_000);
        expect(bench.lists.length + bench.errors.length + bench.warnings.length).toBe(told);
        expect(dns.asked).toHaveLength(asked);
        expect(dns).toMatchObject({ violations: [], open: 0 });
      }),
      { numRuns: 200 },
    );
  },
);

test('after the server recovers, one look-up makes the list equal to its zone, whatever happened before', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 15 }),
      fc.array(fc.integer({ min: 1, max: 250 }), { minLength: 1 }),
      async (changes, hosts) => {
        for (const uri of ['dns://10.0.0.2/orders:1', `dns+srv:///${NAME}`]) {
          const dns = new FakeDns();
          const bench = await new DnsBench(dns, uri, { serviceConfig: true }).start();
          for (const each of changes) {
            dns.set(...each);
            await bench.next();
          }
          const good = [...new Set(hosts)].map((n) => `10.7.0.${n}`).toSorted();
          for (const family of ['AAAA orders', 'AAAA a']) dns.set(family, 'ENODATA');
          dns
            .a('orders', 1, ...good)
            .a('a', 1, ...good)
            .srv(NAME, '3 1 1 a')
            .set('TXT _grpc_config.orders', 'ENODATA');
          await bench.next();
          bench.source.stop();
          expect(bench.last!.map((endpoint) => endpoint.split(':')[0])).toEqual(good);
          expect(bench.answers.at(-1)).toEqual({});
        }
      },
    ),
    { numRuns: 100 },
  );
});
