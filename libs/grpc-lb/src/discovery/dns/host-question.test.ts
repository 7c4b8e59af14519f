import { describe, expect, test } from 'vitest';
import { DnsBench } from '../../../../../test/support/discovery/dns-bench.js';
import { FakeDns } from '../../../../../test/support/discovery/fake-dns.js';
import type { DnsSourceOptions } from './dns-options.js';

const URI = 'dns://10.0.0.2/orders.shop:50051';
const zone = () => new FakeDns().a('orders.shop', 5, '10.1.0.2', '10.1.0.1').set('AAAA orders.shop', 'ENODATA');
const started = (dns = zone(), options?: DnsSourceOptions) => new DnsBench(dns, URI, options).start();

describe('a name at a server', () => {
  test('A and AAAA records are queried, and IPv4 comes first', async () => {
    const dns = zone().set('AAAA orders.shop', [{ address: '2001:db8::1', ttl: 5 }]);
    const bench = await started(dns);
    expect(dns.asked).toEqual(['A orders.shop', 'AAAA orders.shop']);
    expect(bench.lists).toEqual([['10.1.0.1:50051', '10.1.0.2:50051', '[2001:db8::1]:50051']]);
  });

  test('one family is enough, and missing records of the other cause no warning', async () => {
    expect(await started()).toMatchObject({ lists: [['10.1.0.1:50051', '10.1.0.2:50051']], errors: [], warnings: [] });
    const dns = new FakeDns().set('A orders.shop', 'ENOTFOUND').set('AAAA orders.shop', [{ address: '::1', ttl: 1 }]);
    expect(await started(dns)).toMatchObject({ lists: [['[::1]:50051']], errors: [], warnings: [] });
  });

  test.each([
    ['ENOTFOUND', 'ENOTFOUND', 'queryA ENOTFOUND orders.shop'],
    ['ENODATA', 'ESERVFAIL', 'queryAaaa ESERVFAIL orders.shop'],
    ['ETIMEOUT', 'ENODATA', 'queryA ETIMEOUT orders.shop'],
    [[], [], 'ENODATA, no records'],
    [[{ address: 'x', ttl: 1 }], 'ENODATA', 'the answer has no addresses'],
    [{}, 'ENODATA', 'the answer is {}, not a list of addresses'],
  ])('A %j and AAAA %j fail: %s', async (a, aaaa, reason) => {
    const dns = new FakeDns().set('A orders.shop', a).set('AAAA orders.shop', aaaa);
    const bench = await started(dns);
    expect(bench.errors).toEqual([`DNS lookup of "orders.shop" at 10.0.0.2:53 failed: ${reason}`]);
    expect(bench.lists).toEqual([]);
  });

  test('a family that fails temporarily keeps its last addresses until the server says that there are none', async () => {
    const dns = zone().set('AAAA orders.shop', [{ address: '::1', ttl: 5 }]);
    const bench = await started(dns);
    dns.set('AAAA orders.shop', 'ESERVFAIL').a('orders.shop', 5, '10.1.0.3');
    await bench.next();
    expect(bench.last).toEqual(['10.1.0.3:50051', '[::1]:50051']);
    expect(bench.warnings).toEqual(['"orders.shop" was resolved only in part: queryAaaa ESERVFAIL orders.shop']);
    dns.set('AAAA orders.shop', 'ENODATA');
    await bench.next();
    dns.set('AAAA orders.shop', 'ESERVFAIL');
    await bench.next();
    expect(bench.last).toEqual(['10.1.0.3:50051']);
  });

  test.each([
    [5, 5000],
    [1, 1000],
    [30, 30_000],
    [31, 30_000],
    [2 ** 31, 30_000],
  ])('with a TTL of %d s it queries again after %d ms, and up to 20 %% later', async (ttl, ms) => {
    const dns = zone().a('orders.shop', ttl, '10.1.0.1');
    const bench = await started(dns);
    expect(bench.clock.nextIn).toBe(ms);
    bench.random = 1 - Number.EPSILON;
    await bench.next();
    expect(bench.clock.nextIn).toBeCloseTo(ms * 1.2, 3);
  });

  test.each([[0], [-1], [NaN], ['5'], [undefined]])(
    'a TTL of %j tells nothing: after the interval ± 20 %%',
    async (ttl) => {
      const dns = zone().set('A orders.shop', [{ address: '10.1.0.1', ttl }]);
      const bench = await started(dns);
      expect(bench.clock.nextIn).toBe(8000);
    },
  );

  test('the smallest TTL of both families counts', async () => {
    const dns = zone()
      .a('orders.shop', 9, '10.1.0.1')
      .set('AAAA orders.shop', [{ address: '::1', ttl: 3 }]);
    expect((await started(dns)).clock.nextIn).toBe(3000);
  });

  test('the bounds of the interval are options', async () => {
    const options = { minRefreshInterval: 2000, maxRefreshInterval: 4000, refreshInterval: 3000 };
    const bench = await started(zone().a('orders.shop', 1, '10.1.0.1'), options);
    expect(bench.clock.nextIn).toBe(2000);
    bench.dns.a('orders.shop', 60, '10.1.0.1');
    await bench.next();
    expect(bench.clock.nextIn).toBe(4000);
  });

  test('a longer interval raises the upper bound with it', async () => {
    const bench = await started(zone().a('orders.shop', 3600, '10.1.0.1'), { refreshInterval: 60_000 });
    expect(bench.clock.nextIn).toBe(60_000);
  });

  test('a TTL counts from the answer, not from the query', async () => {
    const dns = zone();
    dns.silent = true;
    const bench = await started(dns);
    await bench.advance(4000);
    await dns.answer();
    expect(bench.clock.nextIn).toBe(5000);
  });

  test('stop cancels queries in flight, and so does the timeout', async () => {
    const dns = zone();
    dns.silent = true;
    const bench = await started(dns);
    expect(dns.pending).toBe(2);
    await bench.advance(15_000);
    expect(dns.pending).toBe(0);
    expect(bench.errors).toEqual(['DNS lookup of "orders.shop" at 10.0.0.2:53 failed: no answer within 15000 ms']);
    await bench.next();
    expect(dns.pending).toBe(2);
    bench.source.stop();
    await bench.settled();
    expect(dns.pending).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.errors).toHaveLength(1);
  });

  test('a million records are truncated to what a DNS message can hold, with a warning', async () => {
    const million = Array.from({ length: 1_000_000 }, (_, i) => ({
      address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
      ttl: 5,
    }));
    const bench = await started(zone().set('A orders.shop', million));
    expect(bench.last).toHaveLength(4096);
    expect(bench.warnings).toEqual(['"orders.shop" has more than 4096 addresses; the first 4096 are used']);
  });

  test('a resolver that cannot be created is a failure, reported after start', async () => {
    const resolver = () => {
      throw new Error('no sockets left');
    };
    const bench = await started(zone(), { resolver });
    expect(bench.errors).toEqual(['DNS lookup of "orders.shop" at 10.0.0.2:53 failed: no sockets left']);
  });
});
