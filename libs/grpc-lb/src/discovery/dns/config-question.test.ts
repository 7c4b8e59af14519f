import { describe, expect, test } from 'vitest';
import { DnsBench } from '../../../../../test/support/discovery/dns-bench.js';
import { FakeDns } from '../../../../../test/support/discovery/fake-dns.js';
import type { DnsSourceOptions } from './dns-options.js';

const TXT = 'TXT _grpc_config.orders.shop';
const txt = (json: string) => [[`grpc_config=${json}`]];
const one = txt('[{"serviceConfig":{"n":1}}]');
const zone = () => new FakeDns().a('orders.shop', 5, '10.1.0.1').set('AAAA orders.shop', 'ENODATA').set(TXT, one);
const started = (
  dns = zone(),
  uri = 'dns://10.0.0.2/orders.shop:1',
  options: DnsSourceOptions = { serviceConfig: true },
) => new DnsBench(dns, uri, options).start();

describe('a service config from DNS', () => {
  test('is not queried unless it is enabled', async () => {
    const bench = await started(zone(), undefined, {});
    expect(bench.dns.asked).not.toContain(TXT);
    expect(bench.answers).toEqual([{}]);
  });

  test('comes with the endpoints, and disappears with its record', async () => {
    const bench = await started();
    expect(bench.lists).toEqual([['10.1.0.1:1']]);
    bench.dns.set(TXT, txt('[{"serviceConfig":{"n":2}}]'));
    await bench.next();
    bench.dns.set(TXT, 'ENOTFOUND');
    await bench.next();
    expect(bench.answers).toEqual([{ serviceConfig: { n: 1 } }, { serviceConfig: { n: 2 } }, {}]);
    expect(bench.warnings).toEqual([]);
  });

  test('for an SRV name belongs to the host part of the name', async () => {
    const dns = zone().srv('_grpc._tcp.orders.shop', '0 0 1 orders.shop');
    const bench = await started(dns, 'dns+srv:///_grpc._tcp.orders.shop');
    expect(bench.answers).toEqual([{ serviceConfig: { n: 1 } }]);
  });

  test('is queried from the servers of the system if the system looks up the name', async () => {
    const lookup = () => Promise.resolve([{ address: '10.1.0.9', family: 4 }]);
    const bench = await started(zone(), 'dns:///orders.shop:1', { serviceConfig: true, lookup });
    expect(bench.lists).toEqual([['10.1.0.9:1']]);
    expect(bench.dns.asked).toEqual([TXT]);
    expect(bench.answers).toEqual([{ serviceConfig: { n: 1 } }]);
  });

  test.each([
    [txt('{'), 'grpc_config is "{"; use a JSON list of choices'],
    ['ESERVFAIL', 'queryTxt ESERVFAIL _grpc_config.orders.shop'],
    [{}, 'the answer is {}, not a list of TXT records'],
  ])('that is %j causes a warning, and the last good one stays', async (answer, fault) => {
    const bench = await started();
    bench.dns.set(TXT, answer).a('orders.shop', 5, '10.1.0.2');
    await bench.next();
    expect(bench.last).toEqual(['10.1.0.2:1']);
    expect(bench.answers.at(-1)).toEqual({ serviceConfig: { n: 1 } });
    expect(bench.warnings).toEqual([`TXT record of "_grpc_config.orders.shop": ${fault}`]);
    expect(bench.errors).toEqual([]);
  });

  test('that does not arrive delays the endpoints by a third of the timeout at most', async () => {
    const bench = new DnsBench(new FakeDns(), 'dns:///orders.shop:1', {
      serviceConfig: true,
      lookup: () => Promise.resolve([{ address: '10.1.0.9', family: 4 }]),
    });
    bench.dns.silent = true;
    await bench.start();
    await bench.advance(4999);
    expect(bench.lists).toEqual([]);
    await bench.advance(1);
    expect(bench.lists).toEqual([['10.1.0.9:1']]);
    expect(bench.warnings).toEqual(['TXT record of "_grpc_config.orders.shop": no answer within 5000 ms']);
    expect(bench.dns.pending).toBe(0);
  });

  test('is cancelled with the endpoints: a failed look-up or stop leaves no query and no timer behind', async () => {
    const dns = zone();
    dns.silent = true;
    const bench = await started(dns);
    expect(dns.pending).toBe(3);
    await bench.advance(15_000);
    expect(dns.pending).toBe(0);
    expect(bench.clock.pendingTimers).toBe(1);
    await bench.next();
    expect(dns.pending).toBe(3);
    bench.source.stop();
    await bench.settled();
    expect(dns.pending).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});
