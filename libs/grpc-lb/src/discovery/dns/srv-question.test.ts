import { describe, expect, test } from 'vitest';
import { DnsBench } from '../../../../../test/support/discovery/dns-bench.js';
import { FakeDns } from '../../../../../test/support/discovery/fake-dns.js';
import type { DnsSourceOptions } from './dns-options.js';

const NAME = '_grpc._tcp.orders.shop';
const zone = () =>
  new FakeDns().srv(NAME, '10 5 50051 a', '20 0 50052 b').a('a', 60, '10.1.0.1').a('b', 60, '10.1.0.2', '10.1.0.3');
const started = (dns = zone(), options?: DnsSourceOptions) => new DnsBench(dns, `dns+srv:///${NAME}`, options).start();

describe('dns+srv:', () => {
  test('each address of a target is an endpoint, with port, weight and rank of the record', async () => {
    const bench = await started();
    expect(bench.lists).toEqual([['10.1.0.1:50051;10;0', '10.1.0.2:50052;1;1', '10.1.0.3:50052;1;1']]);
    expect(bench.dns.asked).toEqual([`SRV ${NAME}`, 'A a', 'AAAA a', 'A b', 'AAAA b']);
    expect(bench).toMatchObject({ errors: [], warnings: [] });
  });

  test('a target with several ports is looked up once', async () => {
    const bench = await started(zone().srv(NAME, '0 1 1 a', '0 1 2 a', '0 1 3 a'));
    expect(bench.last).toHaveLength(3);
    expect(bench.dns.asked).toEqual([`SRV ${NAME}`, 'A a', 'AAAA a']);
  });

  test.each([
    ['ENOTFOUND', `querySrv ENOTFOUND ${NAME}`],
    ['ETIMEOUT', `querySrv ETIMEOUT ${NAME}`],
    [[], 'the answer has no usable SRV records'],
    [[{ name: 'a b' }], 'the answer has no usable SRV records'],
    [{}, 'the answer is {}, not a list of SRV records'],
  ])('SRV %j fails: %s', async (answer, reason) => {
    const bench = await started(zone().set(`SRV ${NAME}`, answer));
    expect(bench.errors).toEqual([`DNS lookup of "${NAME}" failed: ${reason}`]);
    expect(bench.lists).toEqual([]);
  });

  test('the target "." is an authoritative empty list', async () => {
    const bench = await started(zone().srv(NAME, '0 0 0 .'));
    expect(bench.lists).toEqual([[]]);
    expect(bench.answers).toEqual([{ authoritative: true }]);
    expect(bench.warnings).toEqual([`"${NAME}" has the SRV target ".", which means that the service is unavailable`]);
  });

  test('a target that does not exist is left out, and the next priority moves up', async () => {
    const bench = await started(zone().set('A a', 'ENOTFOUND'));
    expect(bench.last).toEqual(['10.1.0.2:50052;1;0', '10.1.0.3:50052;1;0']);
    expect(bench.warnings).toEqual(['the SRV target "a" was not found, and it is left out: queryA ENOTFOUND a']);
  });

  test('a target that fails temporarily keeps its last addresses until its name leaves the records', async () => {
    const bench = await started();
    const all = bench.last;
    bench.dns.set('A a', 'ETIMEOUT');
    await bench.next();
    expect(bench.last).toEqual(all);
    expect(bench.warnings).toEqual([
      'the SRV target "a" was not found, and its last addresses stay in use: queryA ETIMEOUT a',
    ]);
    bench.dns.srv(NAME, '20 0 50052 b');
    await bench.next();
    bench.dns.srv(NAME, '10 5 50051 a', '20 0 50052 b');
    await bench.next();
    expect(bench.last).toEqual(['10.1.0.2:50052;1;0', '10.1.0.3:50052;1;0']);
  });

  test('a name that has left the records is forgotten even when no look-up ends in time', async () => {
    const never = new Promise(() => {});
    const bench = await started(zone().set('A b', never));
    bench.dns.srv(NAME, '20 0 50052 b');
    for (let i = 0; i < 4; i++) await bench.next();
    expect(new Set(bench.errors)).toEqual(new Set([`DNS lookup of "${NAME}" failed: no answer within 15000 ms`]));
    bench.dns.set('A a', 'ETIMEOUT').a('b', 60, '10.1.0.2').srv(NAME, '10 5 50051 a', '20 0 50052 b');
    await bench.next();
    await bench.next();
    expect(bench.last).toEqual(['10.1.0.2:50052;1;0']);
  });

  test('if no target resolves the look-up fails, even with remembered addresses', async () => {
    const bench = await started();
    bench.dns.set('A a', 'ETIMEOUT').set('A b', 'ETIMEOUT');
    await bench.next();
    expect(bench.lists).toHaveLength(1);
    expect(bench.errors).toEqual([`DNS lookup of "${NAME}" failed: queryA ETIMEOUT a`]);
  });

  test.each([
    [60, 10_000],
    [4, 4000],
    [0, 8000],
  ])(
    'with %d s for the addresses it asks again after %d ms: what Node knows of SRV records has no TTL',
    async (ttl, ms) => {
      const bench = await started(zone().a('b', ttl, '10.1.0.2'));
      expect(bench.clock.nextIn).toBe(ms);
    },
  );

  test('a target is resolved by its addresses only: its SRV records are not followed', async () => {
    const dns = new FakeDns().srv(NAME, `0 0 1 ${NAME}`).srv('a', '0 0 1 a');
    const bench = await started(dns);
    expect(dns.asked).toEqual([`SRV ${NAME}`, `A ${NAME}`, `AAAA ${NAME}`]);
    expect(bench.errors).toHaveLength(1);
  });

  test('at most 32 targets are looked up at a time, and none after stop', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `t${String(i).padStart(2, '0')}`);
    const dns = new FakeDns().srv(NAME, ...names.map((name) => `0 0 1 ${name}`));
    for (const [i, name] of names.entries()) dns.a(name, 5, `10.1.0.${i}`);
    dns.silent = true;
    const bench = await started(dns);
    await dns.answer();
    expect(dns.pending).toBe(64);
    await dns.answer();
    expect(dns.pending).toBe(64);
    bench.source.stop();
    await bench.settled();
    expect(dns.pending).toBe(0);
    expect(dns.asked).toHaveLength(1 + 128);
    expect(bench.lists).toEqual([]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test('the whole look-up has one timeout, whichever part of it is slow', async () => {
    const dns = zone();
    dns.silent = true;
    const bench = await started(dns, { timeout: 900 });
    await bench.advance(600);
    await dns.answer();
    expect(dns.pending).toBe(4);
    await bench.advance(300);
    expect(dns.pending).toBe(0);
    expect(bench.errors).toEqual([`DNS lookup of "${NAME}" failed: no answer within 900 ms`]);
  });

  test('a thousand targets with a hundred thousand addresses each yield no more than one message holds', async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `t${i}`);
    const many = Array.from({ length: 100_000 }, (_, i) => ({
      address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
      ttl: 5,
    }));
    const dns = new FakeDns().srv(NAME, ...names.map((name) => `0 0 1 ${name}`));
    for (const name of names) dns.set(`A ${name}`, many);
    const bench = await started(dns);
    expect(bench.last).toHaveLength(4096);
    expect(dns.asked.length).toBeLessThanOrEqual(1 + 2 * 64);
    expect(bench.warnings[0]).toBe(`"${NAME}" has more than 4096 addresses; the best are used`);
    expect(bench.warnings).toHaveLength(6);
  });
});
